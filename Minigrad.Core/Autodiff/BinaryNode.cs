using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>y = f(a, b) with broadcasting, whose slopes are derived from the formula itself.</summary>
internal sealed class BinaryNode<TOp>(TOp op, Tensor a, Tensor b) : Node(a, b)
    where TOp : unmanaged, IBinaryOp
{
    private readonly TOp op = op;
    private SavedTensor first = new(a);
    private SavedTensor second = new(b);

    /// <inheritdoc/>
    public override string Operation => OperationName.Of<TOp>();

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor a = first.Read(this);
        Tensor b = second.Read(this);
        if (Needs(0))
        {
            Tensor flow = Recording.IsOn
                ? gradient * Tensor.Map(a, b, new FirstSlope<TOp>(op))
                : Tensor.Combine(a, b, gradient, new FirstBackward<TOp>(op));
            Give(0, flow.SumTo(a.Shape));
        }

        if (Needs(1))
        {
            Tensor flow = Recording.IsOn
                ? gradient * Tensor.Map(a, b, new SecondSlope<TOp>(op))
                : Tensor.Combine(a, b, gradient, new SecondBackward<TOp>(op));
            Give(1, flow.SumTo(b.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        first.Release();
        second.Release();
    }
}
