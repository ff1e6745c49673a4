using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// Adaptive gradient clipping (Brock, De, Smith and Simonyan, 2021, arXiv:2102.06171): the gradient of each unit is scaled
/// by λ / max(r, λ) with the ratio r = ‖g‖ / max(‖w‖, ε). A unit is a row or a column of a matrix, or
/// the whole of a vector.
/// </summary>
/// <param name="threshold">λ, the largest ratio of a unit's gradient norm to its weight norm.</param>
/// <param name="epsilon">ε, the smallest weight norm that counts, so that weights of zero can learn.</param>
/// <param name="layout">What a unit is.</param>
internal sealed class UnitNormClip(Threshold threshold, double epsilon, UnitLayout layout) : ThresholdStage(
    nameof(Minigrad.Optimizers.Clip.UnitNorm), threshold, ScopeOf(layout), order: 2, DetailsOf(epsilon, layout))
{
    private readonly UnitNormDecision decision = new(epsilon > 0 && double.IsFinite(epsilon) ? epsilon : throw new ArgumentOutOfRangeException(
        nameof(epsilon), epsilon, $"Clip.UnitNorm: epsilon is the smallest weight norm that counts and must be positive and finite, but it is {epsilon}; with 0, weights that start at zero would never learn. 1e-3 is usual."));

    /// <inheritdoc/>
    public override void Defer(DeferredSteps steps, DeferredStage stage) => History.Rule.DecideUnits(steps, decision, stage);

    /// <inheritdoc/>
    protected override double Clip(GradientSet gradients, out StageMeasurement measured)
    {
        double norm = gradients.Norm();
        measured = new();
        foreach (PendingGradient gradient in gradients.Gradients)
        {
            if (gradient.Gradient.Length > 0)
            {
                ClipUnits(gradients, gradient, ref measured);
            }
        }

        return norm;
    }

    private static string DetailsOf(double epsilon, UnitLayout layout) =>
        $", epsilon {epsilon.ToString(System.Globalization.CultureInfo.InvariantCulture)}{(layout == UnitLayout.Columns ? ", columns" : string.Empty)}";

    private static ThresholdScope ScopeOf(UnitLayout layout) => layout switch
    {
        UnitLayout.Rows => ThresholdScope.Row,
        UnitLayout.Columns => ThresholdScope.Column,
        _ => throw new ArgumentOutOfRangeException(nameof(layout), layout, $"Clip.UnitNorm: the layout must be Rows or Columns, but it is {layout}."),
    };

    private void ClipUnits(GradientSet gradients, PendingGradient gradient, ref StageMeasurement measured)
    {
        if (!gradient.IsPlainlyScaled)
        {
            gradient.Flush();
        }

        double[] norms = PendingGradient.UnitNormsOf(gradient.Gradient, History.Scope);
        double[] weights = PendingGradient.UnitNormsOf(gradient.Parameter, History.Scope);
        double[] memory = History.MemoryOf(gradient.Parameter);
        double[] coefficients = new double[norms.Length];
        bool acts = false;
        for (int unit = 0; unit < norms.Length; unit++)
        {
            double measure = decision.Measure(gradient.Coefficient * norms[unit], weights[unit]);
            double own = History.ThresholdOf(measure, measure, memory, unit);
            coefficients[unit] = decision.Factor(measure, own);
            measured.Add(measure, own, coefficients[unit]);
            acts |= coefficients[unit] != 1;
        }

        if (acts)
        {
            gradient.ScaleUnits(coefficients, norms, History.Scope);
            gradients.IsScaled = true;
            measured.Acted = true;
        }
    }
}
