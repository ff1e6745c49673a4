using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>y is a strided part of x (a slice, a transpose, a flip): its gradient is placed back into zeros.</summary>
internal sealed class TakeNode(Tensor x, StridedLayout layout, string operation) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => operation;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.Place(layout, inputShape, operation));
}
