using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>
/// SPAM, spike-aware Adam with momentum reset (Huang et al., 2025, arXiv:2501.06842): an element of the gradient whose square
/// is above θ times its running mean square v becomes sign(g) · √(θ · v) before it enters the means; every ΔT steps both
/// means begin anew, and the steps after that grow from a hundredth to full size along a cosine.
/// </summary>
/// <remarks>
/// <para>v is what it was before the step. With k the parameter's updates modulo ΔT, counted from 1: the means are cleared at
/// k = 0, spikes are cut from k = D on, and steps after the first reset are multiplied by
/// 1 − 0.99 · (1 + cos(π · k / (N + 1))) / 2 while k &lt; N. The corrections of bias go on over a reset, as in the authors' code.</para>
/// <para>An element with v = 0 has had no gradient since the last reset, so there is nothing to call a spike by, and it is not
/// cut. (By the formula alone it would be set to 0 at each step until the next reset.) ε is outside the root after the
/// correction of bias, as in <see cref="Adam"/>; weight decay is decoupled, as in <see cref="AdamW"/>.</para>
/// <para>θ is any <see cref="Optimizers.Threshold"/>. A number and a schedule take no pass over memory. A rule that follows the past sees of each
/// parameter, in a history of its own, the largest g² / v of the elements with v &gt; 0, after <see cref="Optimizer.Clip"/> and before it is
/// cut; that takes one pass more. Of a step in which spikes are not looked for, or at which the means begin anew, nothing enters
/// the history. On a device all this happens there, at the step itself. <see cref="StepReport.Stages"/> says what such a rule did.</para>
/// </remarks>
public sealed class Spam : Optimizer
{
    /// <summary>An optimizer of parameters.</summary>
    /// <param name="parameters">The parameters, as model.Parameters.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="threshold">θ, how many times its mean square a gradient's square may be, 5000 if not given; +∞ cuts nothing. A rule sees max g² / v.</param>
    /// <param name="resetInterval">ΔT, after how many updates the means begin anew.</param>
    /// <param name="warmUp">N, how many steps after a reset are made smaller; 0 for none.</param>
    /// <param name="delay">D, how many steps after a reset no spikes are looked for.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is null, is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Spam(
        IEnumerable<Tensor> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0,
        Threshold? threshold = null,
        int resetInterval = 500,
        int warmUp = 150,
        int delay = 20)
        : this([new ParameterGroup(parameters)], learningRate, beta1, beta2, epsilon, weightDecay, threshold, resetInterval, warmUp, delay)
    {
    }

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate η.</param>
    /// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
    /// <param name="beta2">β₂, the rate of the running mean of squares.</param>
    /// <param name="epsilon">ε, added outside the root, after the correction of bias.</param>
    /// <param name="weightDecay">The decoupled weight decay λ.</param>
    /// <param name="threshold">θ, how many times its mean square a gradient's square may be, 5000 if not given; +∞ cuts nothing. A rule sees max g² / v.</param>
    /// <param name="resetInterval">ΔT, after how many updates the means begin anew.</param>
    /// <param name="warmUp">N, how many steps after a reset are made smaller; 0 for none.</param>
    /// <param name="delay">D, how many steps after a reset no spikes are looked for.</param>
    /// <exception cref="ArgumentException">There is no parameter, a group or a parameter is null, or a parameter is given twice, asks for no gradient or is the result of an operation.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public Spam(
        IEnumerable<ParameterGroup> groups,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0,
        Threshold? threshold = null,
        int resetInterval = 500,
        int warmUp = 150,
        int delay = 20)
        : base(groups, learningRate)
    {
        Beta1 = CheckRate(beta1, nameof(beta1));
        Beta2 = CheckRate(beta2, nameof(beta2));
        Epsilon = CheckNotNegative(epsilon, nameof(epsilon));
        WeightDecay = weightDecay;
        Threshold = threshold ?? 5000;
        RuleThreshold = Threshold.Number is not { } number || number > 0
            ? new ThresholdHistory(nameof(Optimizers), nameof(Spam), Threshold, ThresholdScope.Parameter, string.Empty)
            : throw new ArgumentOutOfRangeException(
                nameof(threshold), number, $"Spam: the threshold θ is how many times its mean square a gradient's square may be and must be positive, but it is {number}. 5000 is usual; +∞ cuts nothing.");
        ResetInterval = resetInterval > 0 ? resetInterval : throw new ArgumentOutOfRangeException(
            nameof(resetInterval), resetInterval, $"Spam: the reset interval is a number of updates and must be positive, but it is {resetInterval}. To never reset pass int.MaxValue, or use Adam.");
        WarmUp = CheckCount(warmUp, nameof(warmUp));
        Delay = CheckCount(delay, nameof(delay));
    }

    /// <summary>β₁, the rate of the running mean of gradients.</summary>
    public double Beta1 { get; }

    /// <summary>β₂, the rate of the running mean of squares.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added outside the root, after the correction of bias.</summary>
    public double Epsilon { get; }

    /// <summary>θ, how many times its mean square a gradient's square may be; +∞ cuts nothing.</summary>
    public Threshold Threshold { get; }

    /// <summary>ΔT, after how many updates the means begin anew.</summary>
    public int ResetInterval { get; }

    /// <summary>N, how many steps after a reset are made smaller; 0 for none.</summary>
    public int WarmUp { get; }

    /// <summary>D, how many steps after a reset no spikes are looked for.</summary>
    public int Delay { get; }

    /// <inheritdoc/>
    internal override ThresholdHistory RuleThreshold { get; }

    /// <inheritdoc/>
    protected override int StateCount => 2;

    /// <inheritdoc/>
    protected override bool HasDecoupledDecay => true;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        BiasCorrection correction = new(step.LearningRate, Beta1, Beta2);
        bool isDecided = Threshold.SeesNorms;
        double threshold = isDecided ? 0 : RuleThreshold.Rule.Threshold(0, 0, [], 0);
        SpamStep spam = new(correction, Moments.Of(Beta1, Beta2), Epsilon, threshold, ResetInterval, WarmUp, Delay);
        if (isDecided)
        {
            step.ApplyDecided<SpamStep, SpamRule>(spam, targets);
        }
        else
        {
            step.ApplyWithSecondMoment<SpamStep, SpamRule>(spam, targets);
        }
    }

    private static int CheckCount(int value, string name) => value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"Spam: {name} is a number of steps after a reset and must not be negative, but it is {value}.");
}
