using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>y is zeros with rows of x added to it, the adjoint of gathering: each row takes its gradient out again.</summary>
internal sealed class ScatterNode(Tensor x, RowNumbers rows, int width, string operation) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => operation;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) =>
        Give(0, gradient.GatherRows(rows, width, inputShape, operation));

    /// <inheritdoc/>
    protected override void ReleaseSaved() => rows.Release();
}
