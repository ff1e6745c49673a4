using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// ZClip (Kumar et al., 2025, arXiv:2504.02507). With z = (n − μ) / (σ + ε) above z₀ a norm is a spike, which is clipped to
/// μ + z₀ · σ · z₀ / z, to μ, or to μ + z₀ · σ. μ and σ² are those of the norms of the warm-up, then running means
/// μ ← α · μ + (1 − α) · n̂ and σ² ← α · σ² + (1 − α) · (n̂ − μ)² with the new μ, of norms n̂ as this rule has clipped them.
/// Its memory is how many norms there were, μ, and σ² (in the warm-up, the sum of squares that it is made of).
/// </summary>
/// <param name="limit">z₀.</param>
/// <param name="decay">α.</param>
/// <param name="warmup">How many norms the first μ and σ are of, at least 1.</param>
/// <param name="epsilon">ε.</param>
/// <param name="maximum">What the threshold is never above, in the warm-up too; no part of n̂.</param>
/// <param name="target">A <see cref="SpikeTarget"/>.</param>
public readonly struct ZScoreRule(double limit, double decay, int warmup, double epsilon, double maximum, int target)
    : IThresholdRule, IRestorableRule
{
    private readonly double limit = limit;
    private readonly double decay = decay;
    private readonly int warmup = warmup;
    private readonly double epsilon = epsilon;
    private readonly double maximum = maximum;
    private readonly int target = target;

    /// <inheritdoc/>
    public int MemoryLength => 3;

    /// <inheritdoc/>
    bool IRestorableRule.IsMemory(HostThresholdMemory memory) =>
        double.IsInteger(memory[0]) && (memory[0] > 0.0 ? memory[1] > 0.0 : memory[1] == 0.0 && memory[2] == 0.0);

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        double own = Own<TMath, TMemory>(norm, memory);
        return own < maximum ? own : maximum;
    }

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        double mean = memory[1];
        if (memory[0] < warmup)
        {
            // Welford's sums, so that no norm has to be kept.
            double count = memory[0] + 1.0;
            double difference = norm - mean;
            mean += difference / count;
            double sum = memory[2] + (difference * (norm - mean));
            memory[0] = count;
            memory[1] = mean;
            memory[2] = count < warmup ? sum : sum / count;
            return;
        }

        double own = Own<TMath, TMemory>(norm, memory);
        double clipped = norm < own ? norm : own;
        mean = (decay * mean) + ((1.0 - decay) * clipped);
        double distance = clipped - mean;
        memory[1] = mean;
        memory[2] = (decay * memory[2]) + ((1.0 - decay) * (distance * distance));
    }

    /// <summary>The threshold but for the maximum: not below the norm unless that is a spike.</summary>
    private double Own<TMath, TMemory>(double norm, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        if (memory[0] < warmup)
        {
            return double.PositiveInfinity;
        }

        double mean = memory[1];
        double deviation = TMath.SquareRoot(memory[2]);
        double score = (norm - mean) / (deviation + epsilon);
        if (score > limit)
        {
            double distance = target == (int)SpikeTarget.Limit ? limit * deviation : limit * deviation / (score / limit);
            return target == (int)SpikeTarget.Mean ? mean : mean + distance;
        }

        double highest = mean + (limit * (deviation + epsilon));
        return highest > norm ? highest : norm;
    }
}
