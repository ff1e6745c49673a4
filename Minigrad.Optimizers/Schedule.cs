using Minigrad.Optimizers.Schedules;

namespace Minigrad.Optimizers;

/// <summary>
/// A number as a function of the steps made so far: a learning rate, a momentum, a clip threshold. A schedule remembers
/// nothing, so it can be plotted, tested and resumed by itself; a <see cref="Scheduler"/> drives something with it.
/// </summary>
/// <example>
/// <code>
/// Schedule rate = Schedule.Warmup(100, Schedule.Cosine(0.1, length: 900));
/// Scheduler scheduler = new(rate, value => optimizer.LearningRate = value);
/// </code>
/// </example>
public abstract class Schedule
{
    /// <summary>Always the same value.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not finite.</exception>
    public static Schedule Constant(double value) => new ConstantSchedule(value);

    /// <summary>v₀ · γ^⌊t / size⌋: one reduction every so many steps.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="size">How many steps a value is held.</param>
    /// <param name="factor">γ.</param>
    /// <exception cref="ArgumentOutOfRangeException">The initial value is not finite, the size not positive, or the factor negative or not finite.</exception>
    public static Schedule Steps(double initial, int size, double factor = 0.1) => new StepSchedule(initial, size, factor);

    /// <summary>v₀ · γ^k, where k is how many of the milestones were reached.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="milestones">After how many steps each reduction comes; one given twice counts twice.</param>
    /// <param name="factor">γ.</param>
    /// <exception cref="ArgumentOutOfRangeException">The initial value is not finite, a milestone is negative, or the factor is negative or not finite.</exception>
    public static Schedule MultiStep(double initial, IReadOnlyList<int> milestones, double factor = 0.1) =>
        new MultiStepSchedule(initial, milestones, factor);

    /// <summary>v₀ · γᵗ.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="factor">γ; above 1 the value grows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The initial value is not finite, or the factor negative or not finite.</exception>
    public static Schedule Exponential(double initial, double factor) => new ExponentialSchedule(initial, factor);

    /// <summary>
    /// m + ½ · (v₀ − m) · (1 + cos(π · t / T)): half a wave down to the minimum (Loshchilov and Hutter, 2016,
    /// arXiv:1608.03983, without restarts). Beyond T the wave goes on, and the value rises again, as in PyTorch.
    /// </summary>
    /// <param name="initial">v₀.</param>
    /// <param name="length">T, how many steps the way down takes.</param>
    /// <param name="minimum">m.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is not finite, or the length not positive.</exception>
    public static Schedule Cosine(double initial, int length, double minimum = 0) => new CosineSchedule(initial, length, minimum);

    /// <summary>
    /// Half waves from the initial value towards the minimum, each begun anew and longer than the one before by a factor
    /// (SGDR: Loshchilov and Hutter, 2016, arXiv:1608.03983).
    /// </summary>
    /// <param name="initial">v₀.</param>
    /// <param name="firstLength">How many steps the first wave takes.</param>
    /// <param name="lengthFactor">How many times longer each is than the one before.</param>
    /// <param name="minimum">m.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is not finite, or the length or its factor not positive.</exception>
    public static Schedule CosineWarmRestarts(double initial, int firstLength, int lengthFactor = 1, double minimum = 0) =>
        new CosineWarmRestartsSchedule(initial, firstLength, lengthFactor, minimum);

    /// <summary>v₀ · (a + (b − a) · min(t, T) / T): a straight line from a part of the value to another, then held.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="startFactor">a.</param>
    /// <param name="endFactor">b.</param>
    /// <param name="length">T, how many steps the line takes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or the length not positive.</exception>
    public static Schedule Linear(double initial, double startFactor = 1.0 / 3, double endFactor = 1, int length = 5) =>
        new LinearSchedule(initial, startFactor, endFactor, length);

    /// <summary>
    /// Half a cosine wave up from a start to the maximum, and another down to a far smaller end (Smith and Topin, 2017,
    /// arXiv:1708.07120; with the phases of PyTorch and fastai).
    /// </summary>
    /// <remarks>
    /// Beyond its length it is an error: the end is so small that a longer training would silently learn nothing. The one
    /// value after the last step, which a loop may set but no step uses, follows the formula as in PyTorch.
    /// For a momentum that goes the other way, as from 0.95 to 0.85 and back:
    /// <c>Schedule.OneCycle(0.85, length, startDivisor: 0.85 / 0.95, endDivisor: 1)</c>.
    /// </remarks>
    /// <param name="maximum">The value at the top.</param>
    /// <param name="length">How many steps the training takes.</param>
    /// <param name="riseShare">Which part of them is the rise.</param>
    /// <param name="startDivisor">The start is the maximum divided by this.</param>
    /// <param name="endDivisor">The end is the start divided by this.</param>
    /// <param name="threePhases">Whether the value first falls back to the start, as slowly as it rose, and then to the end.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, a divisor not positive, or a phase would take no time.</exception>
    public static Schedule OneCycle(
        double maximum,
        int length,
        double riseShare = 0.3,
        double startDivisor = 25,
        double endDivisor = 1e4,
        bool threePhases = false) =>
        new OneCycleSchedule(maximum, length, riseShare, startDivisor, endDivisor, threePhases);

    /// <summary>v₀ · (1 − min(t, T) / T)ᵖ: down to 0, then held.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="length">T, how many steps the way down takes.</param>
    /// <param name="power">p.</param>
    /// <exception cref="ArgumentOutOfRangeException">The initial value is not finite, or the length or the power not positive.</exception>
    public static Schedule Polynomial(double initial, int length = 5, double power = 1) =>
        new PolynomialSchedule(initial, length, power);

    /// <summary>A straight line up to the first value of another schedule, which then starts from its step 0 (Goyal et al., 2017, arXiv:1706.02677).</summary>
    /// <param name="length">How many steps the line takes.</param>
    /// <param name="then">The schedule that follows.</param>
    /// <param name="startFactor">Which part of its first value the line starts at. With 0 the very first step does not move the parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is not positive, or the factor not finite.</exception>
    public static Schedule Warmup(int length, Schedule then, double startFactor = 0)
    {
        ArgumentNullException.ThrowIfNull(then);
        CheckLength(length, nameof(length), nameof(Warmup));
        return Joined((Linear(then.At(0), startFactor, 1, length), length), (then, 1));
    }

    /// <summary>
    /// v · min(n / w, √(w / n)) for the n-th step, n = t + 1: a straight line up to the peak, then down with the root
    /// (Vaswani et al., 2017, arXiv:1706.03762, where the peak is (d · w)^−½).
    /// </summary>
    /// <param name="peak">v, the value of step w.</param>
    /// <param name="warmupLength">w, how many steps the rise takes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The peak is not finite, or the length not positive.</exception>
    public static Schedule InverseSquareRoot(double peak, int warmupLength) => new InverseSquareRootSchedule(peak, warmupLength);

    /// <summary>Schedules one after another, each from its own step 0; the last goes on beyond its length.</summary>
    /// <param name="pieces">The schedules, and for how many steps each is followed.</param>
    /// <exception cref="ArgumentException">There is no piece.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length is not positive.</exception>
    public static Schedule Joined(params IReadOnlyList<(Schedule Schedule, int Length)> pieces) => new JoinedSchedule(pieces);

    /// <summary>The value after a number of steps.</summary>
    /// <param name="step">How many steps were made, 0 before the first.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or beyond the end of a schedule that has one.</exception>
    public double At(int step) => step >= 0
        ? ValueAt(step)
        : throw new ArgumentOutOfRangeException(
            nameof(step), step, $"A schedule is asked for its value after a number of steps, 0 before the first, but that was {step}.");

    /// <summary>This schedule times a number, as for a group of parameters that learns at a tenth of the others' rate.</summary>
    /// <param name="factor">What to multiply by.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not finite.</exception>
    public Schedule Scaled(double factor) => new ScaledSchedule(this, factor);

    /// <summary>The value after a number of steps; what a schedule of your own computes.</summary>
    /// <param name="step">How many steps were made, not negative.</param>
    protected abstract double ValueAt(int step);

    private protected static double CheckFinite(double value, string name, string schedule) => double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"Schedule.{schedule}: {name} must be a finite number, but it is {value}.");

    private protected static double CheckFactor(double value, string name, string schedule) => value >= 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(
            name, value, $"Schedule.{schedule}: {name} is multiplied again and again and must be finite and not negative, but it is {value}.");

    private protected static double CheckPositive(double value, string name, string schedule) => value > 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"Schedule.{schedule}: {name} must be positive and finite, but it is {value}.");

    private protected static int CheckLength(int value, string name, string schedule) => value > 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"Schedule.{schedule}: {name} must be at least 1, but it is {value}.");
}
