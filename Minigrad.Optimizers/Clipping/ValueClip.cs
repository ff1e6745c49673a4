using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>Clamps every element to ±c. The direction of the step changes; NaN stays NaN.</summary>
/// <param name="bound">c.</param>
internal sealed class ValueClip(double bound) : ClipStage
{
    private readonly double bound = CheckThreshold(bound, nameof(Minigrad.Optimizers.Clip.Value));

    /// <inheritdoc/>
    public override string ToString() => $"Value({bound})";

    private ValueDecision Decision => new(bound);

    /// <inheritdoc/>
    internal override bool CanDefer => true;

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        double norm = gradients.Norm();
        foreach (PendingGradient gradient in gradients.Gradients)
        {
            gradient.Bound = Math.Min(gradient.Bound, Decision.Bound(gradient.Norm));
        }

        return norm;
    }

    /// <inheritdoc/>
    internal override bool Defer(DeferredSteps steps, int set, bool isLast) => steps.Decide(Decision, 2, set, isLast);
}
