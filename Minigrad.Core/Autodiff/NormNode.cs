using Minigrad.Operations;

namespace Minigrad.Autodiff;

/// <summary>
/// n = (Σ |x|ᵖ)^(1/p). The gradient is g · sign(x) · (|x| / n)^(p−1), 0 where n is 0; for p = ∞ it is shared by the
/// elements whose magnitude is the largest.
/// </summary>
internal sealed class NormNode(Tensor x, Tensor norm, float order) : Node(x)
{
    private SavedTensor input = new(x);
    private SavedTensor output = new(norm);

    /// <inheritdoc/>
    public override string Operation => "Norm";

    /// <inheritdoc/>
    public override void Backward(Tensor gradient)
    {
        Tensor x = input.Read(this);
        Tensor n = output.Read(this);
        if (order == 2f)
        {
            Give(0, gradient * Tensor.Map(x, n, default(DivideOrZero)));
        }
        else if (order == 1f)
        {
            Give(0, gradient * x.Sign());
        }
        else if (float.IsPositiveInfinity(order))
        {
            Tensor isLargest = x.Abs().EqualTo(n);
            Give(0, gradient * x.Sign() * (isLargest / isLargest.SumTo(n.Shape)));
        }
        else
        {
            Tensor ratio = Tensor.Map(x.Abs(), n, default(DivideOrZero));
            Tensor power = order < 1f
                ? Tensor.Where(x.Abs(), ratio.Pow(order - 1f), Tensor.Filled([], 0f, x.Backend))
                : ratio.Pow(order - 1f);
            Give(0, gradient * x.Sign() * power);
        }
    }

    /// <inheritdoc/>
    protected override void ReleaseSaved()
    {
        input.Release();
        output.Release();
    }
}
