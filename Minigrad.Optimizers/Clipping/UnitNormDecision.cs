using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// λ / max(r, λ) with the ratio r = ‖g‖ / max(‖w‖, ε); NaN for a NaN. Other libraries divide by a norm ‖g‖ of at least 10⁻⁶,
/// which clips a smaller one to less than it may be, and again at each further application.
/// </summary>
/// <param name="epsilon">ε, positive.</param>
public readonly struct UnitNormDecision(double epsilon) : IUnitDecision
{
    private readonly double epsilon = epsilon;
    private readonly NormDecision decision = new(isCommon: 0, (int)NormMeasure.Norm, epsilon: 0.0);

    /// <inheritdoc/>
    public double Measure(double gradient, double weight)
    {
        if (double.IsNaN(weight))
        {
            return weight;
        }

        return gradient / (weight > epsilon ? weight : epsilon);
    }

    /// <inheritdoc/>
    public double Factor(double measure, double threshold) => decision.Factor(measure, threshold);
}
