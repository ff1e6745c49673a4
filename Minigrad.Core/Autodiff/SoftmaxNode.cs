namespace Minigrad.Autodiff;

/// <summary>y = softmax(x) along an axis, or its logarithm; the gradient needs the output only.</summary>
internal sealed class SoftmaxNode(Tensor x, int axis, bool logarithm) : Node(x)
{
    private SavedTensor output;

    /// <inheritdoc/>
    public override string Operation => logarithm ? "LogSoftmax" : "Softmax";

    /// <summary>Makes a tensor the output of this node, and keeps it.</summary>
    public Tensor SaveOutput(Tensor y)
    {
        output = new SavedTensor(y);
        return Output(y);
    }

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor y = output.Read(this);
        if (!Recording.IsOn)
        {
            Give(0, Tensor.SoftmaxBackward(y, gradient, axis, logarithm));
        }
        else if (logarithm)
        {
            Give(0, gradient - (y.Exp() * gradient.Sum([axis], keepDimensions: true)));
        }
        else
        {
            Give(0, y * (gradient - (gradient * y).Sum([axis], keepDimensions: true)));
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved() => output.Release();
}
