using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Thresholds;

namespace Minigrad.Optimizers.Clipping;

/// <summary>A threshold in use: the rule of the running step, and what it remembers of each series of norms.</summary>
internal sealed class ThresholdHistory
{
    /// <summary>Who a history belongs to whose stage was applied by hand.</summary>
    private static readonly object ByHand = new();

    private readonly string owner;
    private readonly string name;
    private readonly string details;
    private readonly Threshold threshold;
    private readonly Dictionary<Tensor, double[]> memories = [];
    private readonly List<(double[] Memory, int Start)> noted = [];
    private double[] together = [];
    private object? user;
    private int asked;

    /// <summary>A threshold with nothing remembered.</summary>
    /// <param name="owner">The class whose method makes what clips, for messages.</param>
    /// <param name="name">The method.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="scope">What is compared with it.</param>
    /// <param name="details">What else there is to say of what clips, with a comma before it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public ThresholdHistory(string owner, string name, Threshold threshold, ThresholdScope scope, string details)
    {
        ArgumentNullException.ThrowIfNull(threshold);
        threshold.Check(owner, name);
        (this.owner, this.name, this.details, this.threshold, Scope) = (owner, name, details, threshold, scope);
    }

    /// <summary>What is compared with the threshold.</summary>
    public ThresholdScope Scope { get; }

    /// <summary>How many numbers a series of norms takes in memory; 0 if none is remembered.</summary>
    public int SeriesLength => threshold.SeriesLength;

    /// <summary>Whether anything is remembered from step to step, so that it belongs to one optimizer.</summary>
    public bool Remembers => threshold.IsScheduled || SeriesLength > 0;

    /// <summary>The rule of the running step.</summary>
    public AppliedRule Rule { get; private set; } = new TypedRule<FixedThreshold>(new FixedThreshold(double.PositiveInfinity));

    /// <summary>What clips, in short: <c>GlobalNorm(1)</c>.</summary>
    public string Text => $"{name}({threshold}{details})";

    /// <summary>Begins a step that is asked for, whatever becomes of it.</summary>
    /// <param name="optimizer">The optimizer that asks, or null for a stage that is applied by hand.</param>
    /// <exception cref="InvalidOperationException">It remembers the steps of another one, or has a schedule that gives no threshold.</exception>
    public void Begin(object? optimizer)
    {
        Claim(optimizer ?? ByHand);
        noted.Clear();
        Rule = threshold.At(asked, owner, name);
        asked++;
    }

    /// <summary>The threshold of all gradients together.</summary>
    /// <param name="norm">What is compared.</param>
    public double ThresholdOfAll(double norm) => ThresholdOf(norm, norm, MemoryOfAll(), 0);

    /// <summary>The threshold of a series, which is noted to be remembered.</summary>
    /// <param name="norm">What is compared.</param>
    /// <param name="total">The norm of all gradients that are seen.</param>
    /// <param name="memory">The memory.</param>
    /// <param name="number">Which series of the memory it is.</param>
    public double ThresholdOf(double norm, double total, double[] memory, int number)
    {
        int start = number * SeriesLength;
        if (SeriesLength > 0)
        {
            noted.Add((memory, start));
        }

        return Rule.Threshold(norm, total, memory, start);
    }

    /// <summary>Remembers the norms of the step, which was made.</summary>
    public void Observe()
    {
        if (SeriesLength == 0)
        {
            return; // Others may be using it at once, on threads of theirs.
        }

        foreach ((double[] memory, int start) in noted)
        {
            Rule.Observe(memory, start);
        }

        noted.Clear();
    }

    /// <summary>The memory of all gradients together in one array, or one of each parameter.</summary>
    /// <param name="parameters">The parameters that are seen, with gradients or without.</param>
    public IEnumerable<double[]> Memories(IEnumerable<Tensor> parameters) =>
        SeriesLength == 0 ? [] : Scope == ThresholdScope.Together ? [MemoryOfAll()] : parameters.Select(MemoryOf);

    /// <summary>Checks, before a step is begun, that there can be a memory of each parameter's series.</summary>
    /// <param name="parameters">The parameters that are seen.</param>
    /// <exception cref="InvalidOperationException">One is longer than an array can be.</exception>
    public void CheckRoom(IEnumerable<Tensor> parameters)
    {
        if (SeriesLength > 0 && Scope != ThresholdScope.Together)
        {
            foreach (Tensor parameter in parameters)
            {
                LengthOf(parameter);
            }
        }
    }

    /// <summary>The memory of one parameter's series.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <exception cref="InvalidOperationException">It is longer than an array can be.</exception>
    public double[] MemoryOf(Tensor parameter)
    {
        if (SeriesLength == 0)
        {
            return [];
        }

        if (!memories.TryGetValue(parameter, out double[]? memory))
        {
            memory = new double[LengthOf(parameter)];
            memories.Add(parameter, memory);
        }

        return memory;
    }

    /// <summary>A copy of what is remembered.</summary>
    /// <param name="parameters">The parameters that are seen, with gradients or without.</param>
    public StageState State(IEnumerable<Tensor> parameters) => new(Text, asked, [.. Memories(parameters).Select(Kept)]);

    /// <summary>Whether a state has the form of one of this history over these parameters.</summary>
    /// <param name="state">The state.</param>
    /// <param name="parameters">The parameters that are seen.</param>
    public bool Fits(StageState state, IEnumerable<Tensor> parameters) =>
        state.Stage == Text && state.Asked is >= 0 and < int.MaxValue && state.Memories.Select(memory => memory.Length).SequenceEqual(
            Memories(parameters).Select(memory => Kept(memory).Length));

    /// <summary>Checks the numbers of a state that fits.</summary>
    /// <param name="state">The state.</param>
    /// <param name="operation">Who restores it.</param>
    /// <param name="instead">What else to do.</param>
    /// <exception cref="ArgumentException">The rule can't have left them.</exception>
    public void CheckMemories(StageState state, string operation, string instead)
    {
        int damaged = state.Memories.TakeWhile(IsMemory).Count();
        if (damaged < state.Memories.Count)
        {
            throw new ArgumentException(
                $"{operation}: the state does not fit, since what it has of {Text} is damaged: "
                + $"memory {damaged} of {state.Memories.Count} holds numbers that no steps leave there. They are finite and not negative, "
                + "a count is whole and of no more norms than are kept, norms and their averages are above 0, "
                + $"and a window has the same norms as they came and sorted. Restore a state that is whole; {instead}",
                nameof(state));
        }
    }

    /// <summary>Restores a state that fits.</summary>
    /// <param name="state">The state.</param>
    /// <param name="parameters">The parameters that are seen.</param>
    public void Restore(StageState state, IEnumerable<Tensor> parameters)
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

    /// <summary>How long the memory of one parameter's series is.</summary>
    private int LengthOf(Tensor parameter)
    {
        int series = PendingGradient.UnitCountsOf(parameter).Series(Scope);
        long length = (long)series * SeriesLength;
        return length <= Array.MaxLength ? (int)length : throw new InvalidOperationException(
            $"{owner}.{Text}: {(parameter.Name is { } given ? $"'{given}'" : "a parameter")} of shape {parameter.Shape} has "
            + $"{series} {(Scope == ThresholdScope.Column ? "columns" : "rows")}, and to remember the norms of each takes {SeriesLength} numbers, "
            + $"{length} in all, but an array holds {Array.MaxLength}. Take a smaller window, a threshold that keeps none, "
            + "as Threshold.MovingAverage, or Clip.ParameterNorm, which remembers one series for each parameter.");
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

    /// <summary>Whether numbers without those of the running step are ones that the rule may have left.</summary>
    private bool IsMemory(double[] kept)
    {
        int length = SeriesLength - AppliedRule.StepNumbers;
        return Enumerable.Range(0, kept.Length / length).All(series => threshold.IsMemory(kept, series * length, length));
    }

    private void Claim(object asking)
    {
        if (Remembers && user is not null && user != asking)
        {
            throw new InvalidOperationException(
                $"{owner}.{Text}: this stage remembers the steps of one user, but is used by a second: two optimizers, or an optimizer and Apply. Their norms would mix in one history. Make a stage for each.");
        }

        user = asking;
    }
}
