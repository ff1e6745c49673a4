using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>y = f(x), whose slope is declared as a function of y: the input is not kept.</summary>
internal sealed class OutputSlopeNode<TOp>(TOp op, Tensor x) : Node(x)
    where TOp : unmanaged, IOutputSlope
{
    private readonly TOp op = op;
    private SavedTensor output;

    /// <inheritdoc/>
    public override string Operation => OperationName.Of<TOp>();

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <summary>Makes a tensor the output of this node, and keeps it.</summary>
    public Tensor SaveOutput(Tensor y)
    {
        output = new SavedTensor(y);
        return Output(y);
    }

    /// <summary>The gradient of x from the output and its gradient, recorded under createGraph.</summary>
    public static Tensor Through(TOp op, Tensor y, Tensor gradient) => Recording.IsOn
        ? gradient * y.Map(new OutputSlope<TOp>(op))
        : Tensor.Zip(y, gradient, new OutputBackward<TOp>(op));

    /// <inheritdoc/>
    public override void Backward(Tensor gradient) => Give(0, Through(op, output.Read(this), gradient));

    /// <inheritdoc/>
    protected override void ReleaseSaved() => output.Release();
}
