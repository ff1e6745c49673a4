namespace Minigrad.Autodiff;

/// <summary>y = Σ x over some axes: every element gets the gradient of its sum.</summary>
internal sealed class SumNode(Tensor x, Shape kept) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => "Sum";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.ReshapeTo(kept).Expand(inputShape));
}
