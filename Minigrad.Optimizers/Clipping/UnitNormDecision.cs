using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// a / max(‖g‖, a) with a = λ · max(‖w‖, ε); NaN for a NaN. Other libraries divide by at least 10⁻⁶, which clips a norm below
/// that to less than a, and again at each further application; here a is positive, so there is no 0 to divide by.
/// </summary>
/// <param name="epsilon">ε.</param>
public readonly struct UnitNormDecision(double epsilon) : IUnitDecision
{
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
        return gradient > allowed ? allowed / gradient : 1.0;
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
