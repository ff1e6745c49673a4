namespace Minigrad.Autodiff;

/// <summary>The same numbers under another shape.</summary>
internal sealed class ReshapeNode(Tensor x) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => "Reshape";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.ReshapeTo(inputShape));
}
