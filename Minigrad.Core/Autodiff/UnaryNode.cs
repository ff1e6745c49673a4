using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>y = f(x), whose slope is derived from the formula itself.</summary>
internal sealed class UnaryNode<TOp>(TOp op, Tensor x) : Node(x)
    where TOp : unmanaged, IUnaryOp
{
    private readonly TOp op = op;
    private SavedTensor input = new(x);

    /// <inheritdoc/>
    public override string Operation => OperationName.Of<TOp>();

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override (float Number, bool IsFirst)? Constant => (op as IPartialApplication)?.Constant;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = input.Read(this);
        Give(0, Recording.IsOn
            ? gradient * x.Map(new Slope<TOp>(op))
            : Tensor.Zip(x, gradient, new UnaryBackward<TOp>(op)));
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved() => input.Release();
}
