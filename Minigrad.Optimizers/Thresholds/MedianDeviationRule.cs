using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// m + k · 1.4826 · median |nᵢ − m|, with m the median of the last norms before this one (Hampel, 1974: neither moves far
/// as long as fewer than half of the norms are outliers; the factor makes it k standard deviations of normal numbers). Its
/// memory is the threshold, made when a norm is remembered, and the window.
/// </summary>
/// <param name="deviations">k.</param>
/// <param name="window">How many norms the medians are of.</param>
/// <param name="warmup">How many norms have to be known before it clips, at least 1.</param>
public readonly struct MedianDeviationRule(double deviations, int window, int warmup) : IThresholdRule, IRestorableRule
{
    private const double NormalDeviation = 1.4826022185056018; // 1 / Φ⁻¹(3/4)

    private readonly double deviations = deviations;
    private readonly int warmup = warmup;
    private readonly NormWindow past = new(1, window);

    /// <inheritdoc/>
    public int MemoryLength => past.End;

    /// <inheritdoc/>
    bool IRestorableRule.IsMemory(HostThresholdMemory memory)
    {
        // A device may round the threshold otherwise, but not to below the median, which is not below the lower one of two.
        int count = past.Count(memory);
        return past.IsMemory(memory) && (count == 0 ? memory[0] == 0.0 : memory[0] >= past.At(memory, (count - 1) >> 1));
    }

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory =>
        past.Count(memory) < warmup ? double.PositiveInfinity : memory[0];

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        past.Add(memory, norm);
        int count = past.Count(memory);
        double median = 0.5 * (past.At(memory, (count - 1) >> 1) + past.At(memory, count >> 1));
        memory[0] = median + (deviations * NormalDeviation * MedianOfDistances(memory, count, median));
    }

    /// <summary>The distances from the median grow to both sides of it, so they are met in order by walking outward.</summary>
    private double MedianOfDistances<TMemory>(TMemory memory, int count, double median)
        where TMemory : struct, IThresholdMemory
    {
        int above = count >> 1;
        int below = above - 1;
        double before = 0.0;
        double distance = 0.0;
        for (int rank = 0; rank <= count >> 1; rank++)
        {
            before = distance;
            double up = above < count ? past.At(memory, above) - median : double.PositiveInfinity;
            double down = below >= 0 ? median - past.At(memory, below) : double.PositiveInfinity;
            if (up < down)
            {
                distance = up;
                above++;
            }
            else
            {
                distance = down;
                below--;
            }
        }

        return (count & 1) == 0 ? 0.5 * (before + distance) : distance;
    }
}
