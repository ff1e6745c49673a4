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
        Tensor a = first.Read(this);
        Tensor b = second.Read(this);
        if (Needs(0))
        {
            Give(0, (gradient * b).SumTo(a.Shape));
        }

        if (Needs(1))
        {
            Give(1, (gradient * a).SumTo(b.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        first.Release();
        second.Release();
    }
}
