using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// Scales each gradient by its own coefficient c / max(n, c), so that the norm of every parameter's gradient is at most c.
/// Unlike a global norm it changes the direction of the step.
/// </summary>
/// <param name="threshold">c.</param>
/// <param name="order">p.</param>
/// <param name="epsilon">Added to n before dividing: 0, or PyTorch's 10⁻⁶ for exact comparison.</param>
internal sealed class ParameterNormClip(double threshold, double order, double epsilon) : ClipStage
{
    private readonly double threshold = CheckThreshold(threshold, nameof(Minigrad.Optimizers.Clip.ParameterNorm));
    private readonly double order = CheckOrder(order, nameof(Minigrad.Optimizers.Clip.ParameterNorm));

    /// <inheritdoc/>
    public override string ToString() =>
        order == 2 ? $"ParameterNorm({threshold})" : $"ParameterNorm({threshold}, order {order})";

    private ParameterNormDecision Decision => new(threshold, epsilon);

    /// <inheritdoc/>
    internal override bool CanDefer => true;

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        ReadOnlySpan<double> norms = gradients.Norms(order);
        double norm = GradientSet.NormOfNorms(norms, order);
        for (int i = 0; i < norms.Length; i++)
        {
            gradients.Scale(gradients.Gradients[i], Decision.Own(norms[i]));
        }

        return norm;
    }

    /// <inheritdoc/>
    internal override bool Defer(DeferredSteps steps, int set, bool isLast) => steps.Decide(Decision, order, set, isLast);
}
