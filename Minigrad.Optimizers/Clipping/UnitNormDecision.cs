using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>λ · max(‖w‖, ε) / max(‖g‖, 10⁻⁶) where ‖g‖ is not below λ · max(‖w‖, ε), else 1. NaN for a NaN.</summary>
/// <param name="clipping">λ.</param>
/// <param name="epsilon">ε.</param>
public readonly struct UnitNormDecision(double clipping, double epsilon) : IUnitDecision
{
    private const double SmallestGradientNorm = 1e-6;

    private readonly double clipping = clipping;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public double Coefficient(double gradient, double weight)
    {
        if (clipping > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(gradient) || double.IsNaN(weight))
        {
            return double.NaN;
        }

        double allowed = clipping * (weight > epsilon ? weight : epsilon);
        if (gradient < allowed)
        {
            return 1.0;
        }

        return allowed / (gradient > SmallestGradientNorm ? gradient : SmallestGradientNorm);
    }
}
