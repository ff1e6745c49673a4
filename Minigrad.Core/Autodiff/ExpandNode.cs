namespace Minigrad.Autodiff;

/// <summary>y repeats x along some axes: the gradients of the copies are summed.</summary>
internal sealed class ExpandNode(Tensor x) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => "Expand";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.SumTo(inputShape));
}
