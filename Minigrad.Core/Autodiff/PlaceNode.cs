using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>y is zeros with x placed in a strided part of it, the adjoint of taking: its gradient is taken out again.</summary>
internal sealed class PlaceNode(Tensor x, StridedLayout layout, string operation) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => operation;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, gradient.Take(layout, inputShape, operation));
}
