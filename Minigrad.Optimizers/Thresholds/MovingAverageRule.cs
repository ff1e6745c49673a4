using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>
/// AdaGC (Wang et al., 2025, arXiv:2502.11034): λ · γ, where γ ← β · γ + (1 − β) · n̂ follows the clipped norms n̂. In the
/// warm-up all gradients together are clipped to λ₀, which leaves n · min(λ₀ / total, 1) of a norm n, and γ is the smallest
/// that was left. Its memory is how many norms there were, and γ.
/// </summary>
/// <param name="relative">λ.</param>
/// <param name="absolute">λ₀.</param>
/// <param name="decay">β.</param>
/// <param name="warmup">How many norms the warm-up takes, at least 1.</param>
public readonly struct MovingAverageRule(double relative, double absolute, double decay, int warmup) : IThresholdRule, IRestorableRule
{
    private readonly double relative = relative;
    private readonly double absolute = absolute;
    private readonly double decay = decay;
    private readonly int warmup = warmup;

    /// <inheritdoc/>
    public int MemoryLength => 2;

    /// <inheritdoc/>
    bool IRestorableRule.IsMemory(HostThresholdMemory memory)
    {
        // A γ that clips to less than itself falls at every step, in the end to 0.
        bool isMean = memory[1] > 0.0 || relative < 1.0;
        return double.IsInteger(memory[0]) && (memory[0] > 0.0 ? isMean : memory[1] == 0.0);
    }

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        if (memory[0] >= warmup)
        {
            return relative * memory[1];
        }

        return total > absolute ? norm * (absolute / total) : double.PositiveInfinity;
    }

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
        double clipped = norm < threshold ? norm : threshold;
        double mean = memory[1];
        if (memory[0] < warmup)
        {
            memory[1] = memory[0] > 0.0 && mean < clipped ? mean : clipped;
            memory[0] = memory[0] + 1.0;
        }
        else
        {
            memory[1] = (decay * mean) + ((1.0 - decay) * clipped);
        }
    }
}
