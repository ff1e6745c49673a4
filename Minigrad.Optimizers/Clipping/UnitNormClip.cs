using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// Adaptive gradient clipping (Brock, De, Smith and Simonyan, 2021, arXiv:2102.06171): the gradient of each unit is scaled
/// by λ · max(‖w‖, ε) / max(‖g‖, 10⁻⁶) where ‖g‖ is not below λ · max(‖w‖, ε). A unit is a row of a matrix, with all
/// dimensions but the first joined, or the whole of a vector.
/// </summary>
/// <param name="clipping">λ, the largest ratio of a unit's gradient norm to its weight norm.</param>
/// <param name="epsilon">ε, the smallest weight norm that counts, so that weights of zero can learn.</param>
internal sealed class UnitNormClip(double clipping, double epsilon) : ClipStage
{
    private readonly double clipping = CheckThreshold(clipping, nameof(Minigrad.Optimizers.Clip.UnitNorm));
    private readonly double epsilon = epsilon > 0 ? epsilon : throw new ArgumentOutOfRangeException(
        nameof(epsilon), epsilon, "Clip.UnitNorm: epsilon is the smallest weight norm that counts and must be positive; with 0, weights that start at zero would never learn.");

    /// <inheritdoc/>
    public override string ToString() => $"UnitNorm({clipping}, epsilon {epsilon})";

    private UnitNormDecision Decision => new(clipping, epsilon);

    /// <inheritdoc/>
    internal override bool CanDefer => true;

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        double norm = gradients.Norm();
        foreach (PendingGradient gradient in gradients.Gradients)
        {
            if (gradient.Gradient.Length > 0)
            {
                ClipUnits(gradients, gradient);
            }
        }

        return norm;
    }

    /// <inheritdoc/>
    internal override bool Defer(DeferredSteps steps, int set, bool isLast) => steps.DecideUnits(Decision, set, isLast);

    private void ClipUnits(GradientSet gradients, PendingGradient gradient)
    {
        if (!gradient.IsPlainlyScaled)
        {
            gradient.Flush();
        }

        double[] norms = new double[gradient.UnitCount];
        double[] weights = new double[norms.Length];
        gradient.Gradient.Backend.Norms(gradient.Gradient.Storage, 2, norms);
        gradient.Parameter.Backend.Norms(gradient.Parameter.Storage, 2, weights);
        double[] coefficients = new double[norms.Length];
        bool acts = false;
        for (int unit = 0; unit < norms.Length; unit++)
        {
            coefficients[unit] = Decision.Coefficient(gradient.Coefficient * norms[unit], weights[unit]);
            acts |= coefficients[unit] != 1;
        }

        if (acts)
        {
            gradient.UnitCoefficients = coefficients;
            gradient.UnitNorms = norms;
            gradients.IsScaled = true;
        }
    }
}
