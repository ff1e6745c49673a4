using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// AutoClip (Seetharaman et al., 2020, arXiv:2007.14469): a percentile of the last norms, this step's among them,
/// interpolated between the two nearest ranks.
/// </summary>
/// <param name="share">The percentile as a share, from 0 to 1.</param>
/// <param name="window">How many norms it is of, this step's included.</param>
/// <param name="warmup">How many norms have to be known before it clips.</param>
public readonly struct PercentileRule(double share, int window, int warmup) : IThresholdRule, IRestorableRule
{
    private readonly double share = share;
    private readonly int warmup = warmup;
    private readonly NormWindow past = new(0, window - 1);

    /// <inheritdoc/>
    public int MemoryLength => past.End;

    /// <inheritdoc/>
    bool IRestorableRule.IsMemory(HostThresholdMemory memory) => past.IsMemory(memory);

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        int count = past.Count(memory);
        if (count < warmup)
        {
            return double.PositiveInfinity;
        }

        double rank = share * count;
        int below = (int)rank;
        double low = past.AtWith(memory, below, norm);
        double high = past.AtWith(memory, below < count ? below + 1 : below, norm);
        return low + ((rank - below) * (high - low));
    }

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory => past.Add(memory, norm);
}
