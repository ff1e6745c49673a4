namespace Minigrad.Autodiff;

/// <summary>y = a where the condition holds, b elsewhere: the gradient goes the way the value came.</summary>
internal sealed class WhereNode(Tensor condition, Tensor a, Tensor b) : Node(a, b)
{
    private readonly Shape first = a.Shape;
    private readonly Shape second = b.Shape;
    private SavedTensor savedCondition = new(condition);

    /// <inheritdoc/>
    public override string Operation => "Where";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor condition = savedCondition.Read(this);
        Tensor zero = Tensor.Filled([], 0f, gradient.Backend);
        if (Needs(0))
        {
            Give(0, Tensor.Where(condition, gradient, zero).SumTo(first));
        }

        if (Needs(1))
        {
            Give(1, Tensor.Where(condition, zero, gradient).SumTo(second));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved() => savedCondition.Release();
}
