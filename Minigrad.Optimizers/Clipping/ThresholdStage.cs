using Minigrad.Backends;
using Minigrad.Optimizers.Thresholds;

namespace Minigrad.Optimizers.Clipping;

/// <summary>A stage that compares norms with a threshold, and can be decided on a device.</summary>
internal abstract class ThresholdStage : ClipStage
{
    /// <summary>Who a stage belongs to that was applied by hand.</summary>
    private static readonly object ByHand = new();

    private readonly string name;
    private readonly Threshold threshold;
    private readonly Dictionary<Tensor, double[]> memories = [];
    private readonly List<(double[] Memory, int Start)> noted = [];
    private double[] together = [];
    private object? owner;
    private int asked;

    /// <summary>A stage.</summary>
    /// <param name="name">The name of the method of <see cref="Minigrad.Optimizers.Clip"/> that makes it.</param>
    /// <param name="threshold">What it clips to.</param>
    /// <param name="scope">What it compares with that.</param>
    /// <param name="order">The order of the norms that it decides from.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold or the order is 0, negative or NaN.</exception>
    protected ThresholdStage(string name, Threshold threshold, ThresholdScope scope, double order)
    {
        ArgumentNullException.ThrowIfNull(threshold);
        threshold.Check(nameof(Minigrad.Optimizers.Clip), name);
        (this.name, this.threshold, Scope) = (name, threshold, scope);
        Order = order > 0
            ? order
            : throw new ArgumentOutOfRangeException(
                nameof(order), order, $"Clip.{name}: the order of a norm must be positive (1, 2, another number, or +∞ for the largest magnitude), but it is {order}.");
    }

    /// <summary>What is compared with the threshold.</summary>
    public ThresholdScope Scope { get; }

    /// <summary>The order of the norms that it decides from.</summary>
    public double Order { get; }

    /// <summary>How many numbers a series of norms takes in memory; 0 if none is remembered.</summary>
    public int SeriesLength => threshold.SeriesLength;

    /// <inheritdoc/>
    internal override bool Remembers => threshold.IsScheduled || SeriesLength > 0;

    /// <summary>The rule of the running step.</summary>
    protected AppliedRule Rule { get; private set; } = new TypedRule<Operations.FixedThreshold>(new Operations.FixedThreshold(double.PositiveInfinity));

    /// <summary>What the running step measured.</summary>
    protected StageMeasurement Measured { get; set; }

    /// <summary>Queues the stage on a device.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="stage">Its place in it.</param>
    /// <returns>Whether gradients may have been written.</returns>
    public abstract bool Defer(DeferredSteps steps, DeferredStage stage);

    /// <summary>Queues that a device remembers the norms of the step.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="stage">The stage's place in it.</param>
    public void DeferObservation(DeferredSteps steps, DeferredStage stage) => Rule.Observe(steps, stage);

    /// <inheritdoc/>
    public override string ToString() => $"{name}({threshold}{Details})";

    /// <summary>What else there is to say, with a comma before it.</summary>
    protected virtual string Details => string.Empty;

    /// <inheritdoc/>
    internal override void Begin(object? optimizer)
    {
        Claim(optimizer ?? ByHand);
        noted.Clear();
        Rule = threshold.At(asked, name);
        asked++;
    }

    /// <inheritdoc/>
    internal override StageMeasurement Run(GradientSet gradients)
    {
        Clip(gradients);
        return Measured;
    }

    /// <inheritdoc/>
    internal override void Observe()
    {
        foreach ((double[] memory, int start) in noted)
        {
            Rule.Observe(memory, start);
        }

        noted.Clear();
    }

    /// <inheritdoc/>
    internal override StageState State(IEnumerable<Tensor> parameters) =>
        new(ToString(), asked, [.. Memories(parameters).Select(Kept)]);

    /// <inheritdoc/>
    internal override bool Fits(StageState state, IEnumerable<Tensor> parameters) =>
        state.Stage == ToString() && state.Memories.Select(memory => memory.Length).SequenceEqual(
            Memories(parameters).Select(memory => Kept(memory).Length));

    /// <inheritdoc/>
    internal override void Restore(StageState state, IEnumerable<Tensor> parameters)
    {
        asked = state.Asked;
        int kept = SeriesLength - AppliedRule.StepNumbers;
        foreach ((double[] memory, double[] saved) in Memories(parameters).Zip(state.Memories))
        {
            for (int i = 0; i < saved.Length; i++)
            {
                memory[(i / kept * SeriesLength) + (i % kept)] = saved[i];
            }
        }
    }

    /// <summary>The memory of all gradients together in one array, or one of each parameter.</summary>
    /// <param name="parameters">The parameters that the stage sees, with gradients or without.</param>
    internal IEnumerable<double[]> Memories(IEnumerable<Tensor> parameters) =>
        SeriesLength == 0 ? [] : Scope == ThresholdScope.Together ? [MemoryOfAll()] : parameters.Select(MemoryOf);

    /// <summary>The memory of one parameter's series.</summary>
    internal double[] MemoryOf(Tensor parameter)
    {
        if (SeriesLength == 0)
        {
            return [];
        }

        if (!memories.TryGetValue(parameter, out double[]? memory))
        {
            memory = new double[PendingGradient.UnitCountsOf(parameter).Series(Scope) * SeriesLength];
            memories.Add(parameter, memory);
        }

        return memory;
    }

    /// <summary>The threshold of all gradients together.</summary>
    /// <param name="norm">What is compared.</param>
    protected double ThresholdOfAll(double norm) => ThresholdOf(norm, norm, MemoryOfAll(), 0);

    /// <summary>The threshold of a series, which is noted to be remembered.</summary>
    /// <param name="norm">What is compared.</param>
    /// <param name="total">The norm of all gradients that the stage sees.</param>
    /// <param name="memory">The memory.</param>
    /// <param name="number">Which series of the memory it is.</param>
    protected double ThresholdOf(double norm, double total, double[] memory, int number)
    {
        int start = number * SeriesLength;
        if (SeriesLength > 0)
        {
            noted.Add((memory, start));
        }

        return Rule.Threshold(norm, total, memory, start);
    }

    private double[] MemoryOfAll()
    {
        if (together.Length < SeriesLength)
        {
            together = new double[SeriesLength];
        }

        return together;
    }

    /// <summary>A copy of a memory without what is of the running step only.</summary>
    private double[] Kept(double[] memory) =>
        [.. memory.Where((_, i) => i % SeriesLength < SeriesLength - AppliedRule.StepNumbers)];

    private void Claim(object user)
    {
        if (Remembers && owner is not null && owner != user)
        {
            throw new InvalidOperationException(
                $"Clip.{this}: this stage remembers the steps of one user, but is used by a second: two optimizers, or an optimizer and Apply. Their norms would mix in one history. Make a stage for each.");
        }

        owner = user;
    }
}
