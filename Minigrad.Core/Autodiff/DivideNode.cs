using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>y = a / b: a gets g / b, b gets −g / b · y. The quotient is kept, not a.</summary>
internal sealed class DivideNode(Tensor a, Tensor b) : Node(a, b)
{
    private readonly Shape firstShape = a.Shape;
    private SavedTensor second = new(b);
    private SavedTensor output;

    /// <inheritdoc/>
    public override string Operation => "Divide";

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <summary>Makes a tensor the output of this node, and keeps it if backward will need it.</summary>
    public Tensor SaveOutput(Tensor y)
    {
        if (Needs(1))
        {
            output = new SavedTensor(y);
        }

        return Output(y);
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor b = second.Read(this);
        Tensor quotient = gradient / b;
        if (Needs(0))
        {
            Give(0, quotient.SumTo(firstShape));
        }

        if (Needs(1))
        {
            Give(1, Tensor.Map(quotient, output.Read(this), default(NegatedProduct)).SumTo(b.Shape));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        second.Release();
        output.Release();
    }
}
