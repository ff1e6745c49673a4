using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>λ · max(‖w‖, ε) / max(‖g‖, 10⁻⁶) where ‖g‖ is not below λ · max(‖w‖, ε), else 1. NaN for a NaN.</summary>
/// <param name="epsilon">ε.</param>
public readonly struct UnitNormDecision(double epsilon) : IUnitDecision
{
    private const double SmallestGradientNorm = 1e-6;

    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public double Measure(double gradient, double weight) => gradient / Counted(weight);

    /// <inheritdoc/>
    public double Coefficient(double gradient, double weight, double threshold)
    {
        if (threshold > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(gradient) || double.IsNaN(weight) || double.IsNaN(threshold))
        {
            return double.NaN;
        }

        double allowed = threshold * Counted(weight);
        if (gradient < allowed)
        {
            return 1.0;
        }

        return allowed / (gradient > SmallestGradientNorm ? gradient : SmallestGradientNorm);
    }

    /// <summary>max(‖w‖, ε), NaN for NaN.</summary>
    private double Counted(double weight)
    {
        if (double.IsNaN(weight))
        {
            return weight;
        }

        return weight > epsilon ? weight : epsilon;
    }
}
