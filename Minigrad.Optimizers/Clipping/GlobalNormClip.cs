using Minigrad.Backends;

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

    private GlobalNormDecision Decision => new(threshold, epsilon);

    /// <inheritdoc/>
    internal override bool CanDefer => true;

    /// <inheritdoc/>
    protected internal override double Clip(GradientSet gradients)
    {
        double norm = gradients.Norm(order);
        gradients.Scale(Decision.Common(norm));
        return norm;
    }

    /// <inheritdoc/>
    internal override bool Defer(DeferredSteps steps, int set, bool isLast) => steps.Decide(Decision, order, set, isLast);
}
