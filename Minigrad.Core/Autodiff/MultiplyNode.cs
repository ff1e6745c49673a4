namespace Minigrad.Autodiff;

/// <summary>y = a · b: each factor gets the gradient times the other.</summary>
internal sealed class MultiplyNode(Tensor a, Tensor b) : Node(a, b)
{
    private SavedTensor first = new(a);
    private SavedTensor second = new(b);

    /// <inheritdoc/>
    public override string Operation => "Multiply";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        if (Needs(0))
        {
            Give(0, (gradient * second.Read(this)).SumTo(first.Shape));
        }

        if (Needs(1))
        {
            Give(1, (gradient * first.Read(this)).SumTo(second.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        first.Release();
        second.Release();
    }
}
