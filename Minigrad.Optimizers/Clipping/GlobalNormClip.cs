namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// Scales all gradients by one coefficient c / max(n, c), so that the norm n of all of them together is at most c
/// (Pascanu, Mikolov and Bengio, 2012, arXiv:1211.5063). The direction of the step stays.
/// </summary>
/// <param name="threshold">c.</param>
/// <param name="order">p.</param>
/// <param name="epsilon">Added to n before dividing: 0, or PyTorch's 10⁻⁶ for exact comparison.</param>
internal sealed class GlobalNormClip(double threshold, double order, double epsilon) : ClipStage
{
    private readonly double threshold = CheckThreshold(threshold, nameof(Minigrad.Optimizers.Clip.GlobalNorm));
    private readonly double order = CheckOrder(order, nameof(Minigrad.Optimizers.Clip.GlobalNorm));

    /// <inheritdoc/>
    public override string ToString() => order == 2 ? $"GlobalNorm({threshold})" : $"GlobalNorm({threshold}, order {order})";

    /// <summary>c / max(n, c), or with ε the smaller of c / (n + ε) and 1. Exact at n = c, safe at n = 0, NaN for NaN.</summary>
    internal static double Coefficient(double norm, double threshold, double epsilon)
    {
        if (double.IsPositiveInfinity(threshold))
        {
            return 1;
        }

        return epsilon == 0 ? threshold / Math.Max(norm, threshold) : Math.Min(1, threshold / (norm + epsilon));
    }

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        double norm = gradients.Norm(order);
        gradients.Scale(Coefficient(norm, threshold, epsilon));
        return norm;
    }
}
