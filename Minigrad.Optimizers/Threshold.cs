using System.Globalization;
using Minigrad.Operations;
using Minigrad.Optimizers.Thresholds;

namespace Minigrad.Optimizers;

/// <summary>
/// What a clipping stage, a clip of updates or <see cref="Spam"/> clips to: a number, a schedule, or a rule that sees the norms of the past. Any takes
/// any; numbers and schedules convert by themselves: <c>Clip.GlobalNorm(1)</c>, <c>Clip.GlobalNorm(Schedule.Cosine(…))</c>,
/// <c>Clip.GlobalNorm(Threshold.Percentile(10))</c>.
/// </summary>
/// <remarks>
/// <para>What a rule sees is what the stage compares: the global norm; each parameter's norm, root mean square or average norm, each
/// with a history of its own; each unit's ratio of gradient norm to weight norm, likewise; of a value stage, the largest
/// magnitude of all; of an <see cref="UpdateClip"/>, the size of each parameter's update that it limits; or, of <see cref="Spam"/>,
/// each parameter's largest g² / v.</para>
/// <para>A history grows by one norm at the end of each step that was made. A step that was skipped or threw leaves no
/// trace, a norm that is not finite enters no history, nor does a norm of 0, from which a rule would learn to clip everything
/// to 0. Where a rule that remembers meets a norm that is not finite (under <see cref="NonFinitePolicy.Propagate"/> only), its
/// threshold is NaN, and so are the gradients; of a clipped update whose size is above float32's range nothing is left. A schedule follows the steps that were asked for, made or not, as that of
/// a learning rate does.</para>
/// <para>On a device every rule runs there, at the step itself: none acts late and the host waits for none. A stage that remembers belongs to one
/// optimizer, whose state includes what it remembers.</para>
/// </remarks>
public sealed class Threshold
{
    /// <summary>A larger window is no longer a bounded memory: it is kept for each parameter or unit.</summary>
    private const int LargestWindow = 1_000_000;

    private readonly string text;
    private readonly double number;
    private readonly Schedule? schedule;
    private readonly AppliedRule? rule;

    private Threshold(string text, double number, Schedule? schedule, AppliedRule? rule) =>
        (this.text, this.number, this.schedule, this.rule) = (text, number, schedule, rule);

    /// <summary>Whether it is a schedule, which follows the steps asked for.</summary>
    internal bool IsScheduled => schedule is not null;

    /// <summary>Whether it sees the norms of the past.</summary>
    internal bool SeesNorms => SeriesLength > 0;

    /// <summary>The number that it always is, or null for a schedule or a rule.</summary>
    internal double? Number => SeesNorms || IsScheduled ? null : number;

    /// <summary>How many numbers a series of norms takes; 0 if nothing is remembered of them.</summary>
    internal int SeriesLength => rule?.SeriesLength ?? 0;

    /// <summary>
    /// Whether numbers are ones that the rule may have left, as far as that can be told: they count something, or are made of norms.
    /// </summary>
    /// <param name="memory">The numbers.</param>
    /// <param name="start">Where the series begins in them.</param>
    /// <param name="length">How many they are.</param>
    internal bool IsMemory(double[] memory, int start, int length) =>
        memory.AsSpan(start, length).IndexOfAnyExceptInRange(0, double.MaxValue) < 0 && rule!.IsMemory(memory, start);

    /// <summary>Always the same number.</summary>
    /// <param name="threshold">c, positive; +∞ measures and never clips.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, negative or NaN.</exception>
    public static Threshold Fixed(double threshold)
    {
        Threshold made = threshold;
        made.Check("Threshold", nameof(Fixed));
        return made;
    }

    /// <summary>A schedule over the steps that the stage was asked for: its value at 0 is the threshold of the first.</summary>
    /// <param name="schedule">The schedule, positive at every step.</param>
    public static Threshold Scheduled(Schedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new Threshold("a schedule", double.NaN, schedule, rule: null);
    }

    /// <summary>
    /// AutoClip (Seetharaman, Wichern, Pardo and Le Roux, 2020, arXiv:2007.14469): a percentile of the last norms, this
    /// step's among them, interpolated between the nearest two.
    /// </summary>
    /// <remarks>
    /// The 10th percentile clips about nine steps of ten. A history takes 2 · window numbers, one history for each parameter or unit in such a stage.
    /// Where the authors' code keeps every norm there ever was, this keeps a window.
    /// </remarks>
    /// <param name="percentile">Which percentile, from 0 to 100.</param>
    /// <param name="window">How many norms it is of, from 2 to a million.</param>
    /// <param name="warmup">How many norms have to be known before it clips, less than the window. 0 clips from the first step on, to that step's own norm.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Threshold Percentile(double percentile = 10, int window = 1000, int warmup = 0)
    {
        CheckRange(percentile is >= 0 and <= 100, percentile, nameof(percentile), nameof(Percentile), "a percentage from 0 to 100");
        CheckRange(window is >= 2 and <= LargestWindow, window, nameof(window), nameof(Percentile), $"at least 2, this step's norm and one to compare it with, and at most {LargestWindow}");
        CheckRange(warmup >= 0 && warmup < window, warmup, nameof(warmup), nameof(Percentile), $"not negative and less than the window, {window}, or it would never end");
        return Rule(
            string.Create(CultureInfo.InvariantCulture, $"percentile {percentile} of {window}"),
            new PercentileRule(percentile / 100, window, warmup));
    }

    /// <summary>
    /// ZClip (Kumar et al., 2025, arXiv:2504.02507): clips only spikes, norms n with z = (n − μ) / (σ + ε) above z₀. μ and σ are of the
    /// norms of the warm-up, then running means of the clipped norms.
    /// </summary>
    /// <param name="limit">z₀.</param>
    /// <param name="target">What a spike is clipped to; <see cref="SpikeTarget.Reciprocal"/> is the paper's.</param>
    /// <param name="decay">α, the rate of the running means.</param>
    /// <param name="warmup">How many norms the first μ and σ are of. Until then only the maximum is in force.</param>
    /// <param name="maximum">What the threshold is never above. The authors' code has 1; +∞ leaves all to the rule.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Threshold ZScore(
        double limit = 2.5,
        SpikeTarget target = SpikeTarget.Reciprocal,
        double decay = 0.97,
        int warmup = 25,
        double maximum = double.PositiveInfinity,
        double epsilon = 1e-6)
    {
        CheckRange(limit > 0 && double.IsFinite(limit), limit, nameof(limit), nameof(ZScore), "a positive number of deviations");
        CheckRange(Enum.IsDefined(target), (double)target, nameof(target), nameof(ZScore), "Reciprocal, Mean or Limit");
        CheckRate(decay, nameof(decay), nameof(ZScore));
        CheckRange(warmup >= 1, warmup, nameof(warmup), nameof(ZScore), "at least 1: without a norm there is no mean");
        CheckRange(maximum > 0, maximum, nameof(maximum), nameof(ZScore), "positive; +∞ for none");
        CheckRange(epsilon > 0 && double.IsFinite(epsilon), epsilon, nameof(epsilon), nameof(ZScore), "positive, or equal norms would be divided by 0");
        return Rule(
            string.Create(CultureInfo.InvariantCulture, $"z-score {limit}"),
            new ZScoreRule(limit, decay, warmup, epsilon, maximum, (int)target));
    }

    /// <summary>
    /// AdaGC (Wang et al., 2025, arXiv:2502.11034): λ times a running mean γ of the clipped norms. In the warm-up all gradients together
    /// are clipped to λ₀, and γ is the smallest norm that this left. With <see cref="Clip.ParameterNorm"/> it is the paper's method.
    /// </summary>
    /// <remarks>
    /// In a stage of units, in one whose measure is not a norm, in a clip of updates and in <see cref="Spam"/>, λ₀ is compared as the threshold would be.
    /// The paper's warm-up ends before its step T, so its T is one more than <paramref name="warmup"/>.
    /// </remarks>
    /// <param name="relative">λ.</param>
    /// <param name="absolute">λ₀; +∞ lets the warm-up pass unclipped.</param>
    /// <param name="decay">β, the rate of the running mean.</param>
    /// <param name="warmup">How many norms the warm-up takes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Threshold MovingAverage(double relative = 1.05, double absolute = 1, double decay = 0.98, int warmup = 100)
    {
        CheckRange(relative > 0 && double.IsFinite(relative), relative, nameof(relative), nameof(MovingAverage), "positive and finite");
        CheckRange(absolute > 0, absolute, nameof(absolute), nameof(MovingAverage), "positive; +∞ lets the warm-up pass unclipped");
        CheckRate(decay, nameof(decay), nameof(MovingAverage));
        CheckRange(warmup >= 1, warmup, nameof(warmup), nameof(MovingAverage), "at least 1: without a norm there is no mean");
        return Rule(
            string.Create(CultureInfo.InvariantCulture, $"{relative} times the moving average"),
            new MovingAverageRule(relative, absolute, decay, warmup));
    }

    /// <summary>
    /// The geometric update of Andrew, Thakkar, McMahan and Ramaswamy (2019, arXiv:1905.03871): C ← C · exp(−η · (b − q)), where b is 1
    /// for a norm that is not above C, else 0. A share q of the norms comes to lie below C, by two numbers of memory.
    /// </summary>
    /// <param name="quantile">q, above 0 and below 1.</param>
    /// <param name="initial">C at the first step; from there it moves by a factor of at most exp(η) a step.</param>
    /// <param name="rate">η.</param>
    /// <param name="minimum">What C is never below.</param>
    /// <param name="maximum">What C is never above.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Threshold StreamingQuantile(
        double quantile = 0.5, double initial = 1, double rate = 0.2, double minimum = 1e-9, double maximum = 1e9)
    {
        CheckRange(quantile is > 0 and < 1, quantile, nameof(quantile), nameof(StreamingQuantile), "above 0 and below 1");
        CheckRange(rate > 0 && double.IsFinite(rate), rate, nameof(rate), nameof(StreamingQuantile), "positive and finite");
        CheckRange(minimum > 0 && double.IsFinite(minimum), minimum, nameof(minimum), nameof(StreamingQuantile), "positive and finite, or C could come to clip everything to 0");
        CheckRange(maximum >= minimum && double.IsFinite(maximum), maximum, nameof(maximum), nameof(StreamingQuantile), "finite and not below the minimum");
        CheckRange(initial >= minimum && initial <= maximum, initial, nameof(initial), nameof(StreamingQuantile), "from the minimum to the maximum");
        return Rule(
            string.Create(CultureInfo.InvariantCulture, $"streaming quantile {quantile}"),
            new StreamingQuantileRule(initial, Math.Exp(-rate * (1 - quantile)), Math.Exp(rate * quantile), minimum, maximum));
    }

    /// <summary>
    /// m + k · 1.4826 · median |nᵢ − m|, with m the median of the last norms before this one: k robust standard deviations above
    /// the middle (Hampel, 1974, <i>The influence curve and its role in robust estimation</i>).
    /// </summary>
    /// <remarks>Neither median moves far as long as fewer than half of the norms are spikes, so norms enter the history unclipped.</remarks>
    /// <param name="deviations">k.</param>
    /// <param name="window">How many norms the medians are of, at most a million.</param>
    /// <param name="warmup">How many norms have to be known before it clips.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Threshold MedianDeviation(double deviations = 3, int window = 1000, int warmup = 50)
    {
        CheckRange(deviations >= 0 && double.IsFinite(deviations), deviations, nameof(deviations), nameof(MedianDeviation), "finite and not negative");
        CheckRange(window is >= 1 and <= LargestWindow, window, nameof(window), nameof(MedianDeviation), $"at least 1 and at most {LargestWindow}");
        CheckRange(warmup >= 1 && warmup <= window, warmup, nameof(warmup), nameof(MedianDeviation), $"at least 1 and at most the window, {window}, or it would never end");
        return Rule(
            string.Create(CultureInfo.InvariantCulture, $"median + {deviations} deviations of {window}"),
            new MedianDeviationRule(deviations, window, warmup));
    }

    /// <summary>A number is a threshold, as by <see cref="Fixed"/>; the stage that takes it checks it.</summary>
    /// <param name="threshold">c.</param>
    public static implicit operator Threshold(double threshold) =>
        new(threshold.ToString(CultureInfo.InvariantCulture), threshold, schedule: null, Always(threshold));

    /// <summary>A schedule is a threshold, as by <see cref="Scheduled"/>.</summary>
    /// <param name="schedule">The schedule.</param>
    public static implicit operator Threshold(Schedule schedule) => Scheduled(schedule);

    /// <summary>What it is, in short: <c>1</c>, <c>percentile 10 of 1000</c>.</summary>
    public override string ToString() => text;

    /// <summary>Checks the number, if it is one.</summary>
    /// <param name="owner">Whom the message is about.</param>
    /// <param name="stage">What of it.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, negative or NaN.</exception>
    internal void Check(string owner, string stage)
    {
        if (Number is { } value)
        {
            Check(value, owner, stage);
        }
    }

    /// <summary>The rule of a step.</summary>
    /// <param name="step">How many steps were asked for before it.</param>
    /// <param name="owner">Whom a message is about.</param>
    /// <param name="stage">What of it.</param>
    /// <exception cref="InvalidOperationException">A schedule gives 0, a negative number or NaN.</exception>
    internal AppliedRule At(int step, string owner, string stage)
    {
        if (rule is not null)
        {
            return rule;
        }

        double value = schedule!.At(step);
        return value > 0
            ? Always(value)
            : throw new InvalidOperationException(
                $"{owner}.{stage}: the schedule of the threshold gives {value} after {step} steps, but a threshold must be positive. {WhyPositive(value)} Give the schedule a minimum above 0.");
    }

    private static void Check(double threshold, string owner, string stage)
    {
        if (!(threshold > 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(threshold), threshold, $"{owner}.{stage}: the threshold must be positive, but it is {threshold}. {WhyPositive(threshold)}");
        }
    }

    private static string WhyPositive(double value) => value == 0
        ? "Libraries disagree on what 0 means: some set every gradient to 0, others do not clip. To measure without clipping pass +∞; to stop learning set the learning rate to 0."
        : double.IsNaN(value)
            ? "NaN would turn every gradient into NaN."
            : "In some libraries a negative threshold silently reverses every gradient.";

    private static TypedRule<FixedThreshold> Always(double threshold) => new(new FixedThreshold(threshold));

    private static Threshold Rule<TRule>(string text, TRule rule)
        where TRule : unmanaged, IThresholdRule => new(text, double.NaN, schedule: null, new TypedRule<TRule>(rule));

    private static void CheckRange(bool isInRange, double value, string name, string rule, string needed)
    {
        if (!isInRange)
        {
            throw new ArgumentOutOfRangeException(
                name, value, string.Create(CultureInfo.InvariantCulture, $"Threshold.{rule}: {name} must be {needed}, but it is {value}."));
        }
    }

    private static void CheckRate(double value, string name, string rule) =>
        CheckRange(value is >= 0 and < 1, value, name, rule, "the rate of a running mean, at least 0 and less than 1");
}
