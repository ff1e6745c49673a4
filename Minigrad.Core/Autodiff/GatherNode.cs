using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>y's rows are rows of x, some perhaps several times: each row of x sums the gradients of its copies.</summary>
internal sealed class GatherNode(Tensor x, RowNumbers rows, int width, string operation) : Node(x)
{
    private readonly Shape inputShape = x.Shape;

    /// <inheritdoc/>
    public override string Operation => operation;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) =>
        Give(0, gradient.ScatterRows(rows, width, inputShape, operation));

    /// <inheritdoc/>
    protected override void ReleaseSaved() => rows.Release();
}
