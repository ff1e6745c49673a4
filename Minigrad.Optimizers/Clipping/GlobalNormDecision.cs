using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>c / max(n, c), or with ε the smaller of c / (n + ε) and 1, for all gradients together. Exact at n = c, safe at n = 0, NaN for NaN.</summary>
/// <param name="threshold">c.</param>
/// <param name="epsilon">ε.</param>
public readonly struct GlobalNormDecision(double threshold, double epsilon) : IClipDecision
{
    private readonly double threshold = threshold;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public bool MayBound => false;

    /// <inheritdoc/>
    public double Common(double total)
    {
        if (threshold > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(total))
        {
            return total;
        }

        if (epsilon == 0.0)
        {
            return total > threshold ? threshold / total : 1.0;
        }

        double coefficient = threshold / (total + epsilon);
        return coefficient < 1.0 ? coefficient : 1.0;
    }

    /// <inheritdoc/>
    public double Own(double norm) => 1.0;

    /// <inheritdoc/>
    public double Bound(double norm) => double.PositiveInfinity;
}
