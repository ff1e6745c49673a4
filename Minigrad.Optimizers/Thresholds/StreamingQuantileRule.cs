using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// The geometric update of Andrew, Thakkar, McMahan and Ramaswamy (2019, arXiv:1905.03871): C ← C · exp(−η · (b − q)),
/// where b is 1 for a norm that is not above C, else 0, so that a share q of norms comes to lie below C. Its memory is C.
/// </summary>
/// <param name="initial">C at first.</param>
/// <param name="shrink">exp(−η · (1 − q)), for a norm that is not above C.</param>
/// <param name="grow">exp(η · q), for one that is.</param>
/// <param name="minimum">What C is never below.</param>
/// <param name="maximum">What C is never above.</param>
public readonly struct StreamingQuantileRule(double initial, double shrink, double grow, double minimum, double maximum)
    : IThresholdRule
{
    private readonly double initial = initial;
    private readonly double shrink = shrink;
    private readonly double grow = grow;
    private readonly double minimum = minimum;
    private readonly double maximum = maximum;

    /// <inheritdoc/>
    public int MemoryLength => 1;

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory => memory[0] > 0.0 ? memory[0] : initial;

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        double next = threshold * (norm > threshold ? grow : shrink);
        next = next < minimum ? minimum : next;
        memory[0] = next > maximum ? maximum : next;
    }
}
