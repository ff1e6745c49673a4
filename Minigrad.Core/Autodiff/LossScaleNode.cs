namespace Minigrad.Autodiff;

/// <summary>y = s · x for a loss x: what is called backward on so that all gradients are s times as large.</summary>
/// <param name="loss">x.</param>
/// <param name="scale">s, a single number; it may be one that only a device knows.</param>
/// <param name="mark">What <see cref="BackwardPass"/> leaves at the leaves that it reaches from here.</param>
internal sealed class LossScaleNode(Tensor loss, Tensor scale, ScaleMark mark) : Node(loss)
{
    /// <inheritdoc/>
    public override string Operation => "Scale";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override (float Number, bool IsFirst)? Constant => (Scale, false);

    /// <summary>s; where a device counts, reading it waits for the device.</summary>
    public float Scale => scale.Item();

    /// <summary>Whether s follows what becomes of the steps.</summary>
    public bool IsDynamic => Mark.Owner is not null;

    /// <summary>Which scale it is.</summary>
    public ScaleMark Mark { get; } = mark;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient * scale);
}
