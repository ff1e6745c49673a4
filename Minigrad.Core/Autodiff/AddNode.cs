namespace Minigrad.Autodiff;

/// <summary>y = a + b or a − b: the gradient passes as it is, so nothing is saved.</summary>
internal sealed class AddNode(Tensor a, Tensor b, bool subtract) : Node(a, b)
{
    private readonly Shape first = a.Shape;
    private readonly Shape second = b.Shape;

    /// <inheritdoc/>
    public override string Operation => subtract ? "Subtract" : "Add";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Give(0, gradient.SumTo(first));
        if (Needs(1))
        {
            Give(1, subtract ? -gradient.SumTo(second) : gradient.SumTo(second));
        }
    }
}
