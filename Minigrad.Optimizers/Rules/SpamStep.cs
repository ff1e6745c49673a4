using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>
/// The <see cref="SpamRule"/> of each step. With k = t mod ΔT: at k = 0 the running means begin anew; from then on steps
/// are multiplied by 1 − 0.99 · (1 + cos(π · k / (N + 1))) / 2 while k &lt; N, but not before the first reset; spikes are
/// looked for from k = D on (Huang et al., 2025, arXiv:2501.06842). A θ of NaN, as of a gradient that is not finite, makes the means NaN,
/// as a factor of NaN does.
/// </summary>
/// <param name="correction">The corrections of bias, which go on over a reset.</param>
/// <param name="moments">The running means.</param>
/// <param name="epsilon">ε, outside the root.</param>
/// <param name="threshold">θ; 0 if it is decided for each parameter at each step, and handed to the step as what it carries.</param>
/// <param name="resetInterval">ΔT.</param>
/// <param name="warmUp">N.</param>
/// <param name="delay">D.</param>
public readonly struct SpamStep(
    BiasCorrection correction, Moments moments, double epsilon, double threshold, double resetInterval, double warmUp, double delay)
    : IStepRule<SpamRule>
{
    private readonly AdamStep adam = new(correction, moments, epsilon);
    private readonly double threshold = threshold;
    private readonly double resetInterval = resetInterval;
    private readonly double warmUp = warmUp;
    private readonly double delay = delay;

    /// <inheritdoc/>
    public SpamRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath
    {
        double sinceReset = step - (resetInterval * (int)(step / resetInterval));
        bool isWarmingUp = step >= resetInterval && sinceReset < warmUp;
        double limit = threshold > 0.0 ? threshold : memory;
        AdamRule rule = adam.At<TMath>(step, ref memory);
        float carried = sinceReset == 0.0 ? 0f : 1f;
        return new(
            isWarmingUp ? rule.Slowed((float)Warmth(sinceReset)) : rule,
            sinceReset < delay ? float.PositiveInfinity : (float)limit,
            double.IsNaN(limit) ? float.NaN : carried,
            sinceReset < delay ? 0f : carried);
    }

    /// <summary>What a step is multiplied by k steps after a reset. The cosine is the formulas' own, the same on every device.</summary>
    private double Warmth(double sinceReset)
    {
        Scalar cosine = Scalar.Cos(new Scalar((float)(Math.PI * sinceReset / (warmUp + 1.0))));
        return 1.0 - (0.495 * (1.0 + cosine.Value));
    }
}
