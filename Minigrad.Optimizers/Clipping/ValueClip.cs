namespace Minigrad.Optimizers.Clipping;

/// <summary>Clamps every element to ±c. The direction of the step changes; NaN stays NaN.</summary>
/// <param name="bound">c.</param>
internal sealed class ValueClip(double bound) : ClipStage
{
    private readonly double bound = CheckThreshold(bound, nameof(Minigrad.Optimizers.Clip.Value));

    /// <inheritdoc/>
    public override string ToString() => $"Value({bound})";

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        double norm = gradients.Norm();
        foreach (PendingGradient gradient in gradients.Gradients)
        {
            // No element exceeds the norm, so a bound above it never acts and need not be applied.
            if (gradient.Norm > bound)
            {
                gradient.Bound = Math.Min(gradient.Bound, bound);
            }
        }

        return norm;
    }
}
