using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>Y = f(X · Wᵀ + b) in one pass. The sum inside of f is never kept: f's slope is a function of Y.</summary>
internal sealed class ActivatedLinearNode<TActivation>(TActivation activation, Tensor x, Tensor weight, Tensor bias)
    : LinearNode(x, weight, bias)
    where TActivation : unmanaged, IOutputSlope
{
    private readonly TActivation activation = activation;
    private SavedTensor output;

    /// <inheritdoc/>
    public override string Operation => $"{OperationName.Of<TActivation>()}({base.Operation})";

    /// <summary>Makes a tensor the output of this node, and keeps it.</summary>
    public Tensor SaveOutput(Tensor y)
    {
        output = new SavedTensor(y);
        return Output(y);
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor inner = OutputSlopeNode<TActivation>.Through(activation, output.Read(this), gradient);
        base.Backward(inner);
        if (!Recording.IsOn)
        {
            inner.Storage.Recycle();
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        base.ReleaseSaved();
        output.Release();
    }
}
