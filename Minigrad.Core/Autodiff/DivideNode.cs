namespace Minigrad.Autodiff;

/// <summary>y = a / b: a gets g / b, b gets −g · y / b.</summary>
internal sealed class DivideNode(Tensor a, Tensor b) : Node(a, b)
{
    private SavedTensor first = new(a);
    private SavedTensor second = new(b);

    /// <inheritdoc/>
    public override string Operation => "Divide";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor a = first.Read(this);
        Tensor b = second.Read(this);
        Tensor quotient = gradient / b;
        Give(0, quotient.SumTo(a.Shape));
        if (Needs(1))
        {
            Give(1, (-(quotient * (a / b))).SumTo(b.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        first.Release();
        second.Release();
    }
}
