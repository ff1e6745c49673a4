using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// The gradient pipeline where the host does not wait for the device: it queues what the host's pipeline would do, and
/// learns from the device's records what came of it, later or when it is asked.
/// </summary>
internal sealed class DeferredPipeline
{
    private const int NoGradient = -1;

    private readonly Optimizer optimizer;
    private readonly DeferredSteps steps;
    private readonly IReadOnlyList<ParameterSlot> slots;
    private readonly Storage[] parameters;
    private readonly Storage?[] gradients;
    private readonly int[] sets;
    private readonly int[] versions;
    private readonly List<(ThresholdStage Stage, DeferredStage Place)> clipped = [];
    private readonly DeferredMemories memories;

    // Who waits for reports, and the first attempt that each waits for.
    private readonly Dictionary<Action, int> readers = [];
    private readonly StepRecord[] records = new StepRecord[DeferredSteps.RecordCount];
    private StageRecord[] stageRecords = [];
    private int stageRoom;
    private int stagesSeen;

    // The norms of all gradients at some attempts in a row, read together.
    private double[] normRows = [];
    private int normsFrom;
    private int normsTo = -1;
    private int seen;
    private int stopped;
    private int acknowledged;
    private bool isScaled;
    private Exception? failure;

    private DeferredPipeline(
        Optimizer optimizer, DeferredSteps steps, IReadOnlyList<ParameterSlot> slots, Storage[] parameters)
    {
        this.optimizer = optimizer;
        this.steps = steps;
        this.slots = slots;
        this.parameters = parameters;
        gradients = new Storage?[slots.Count];
        sets = new int[slots.Count];
        memories = new DeferredMemories(steps, slots, sets);
        versions = new int[slots.Count];
    }

    /// <summary>How many steps were made, as last seen.</summary>
    public int StepCount { get; private set; }

    /// <summary>How many steps were skipped, as last seen.</summary>
    public int SkippedSteps { get; private set; }

    /// <summary>How many in a row, up to the last seen.</summary>
    public int ConsecutiveSkips { get; private set; }

    /// <summary>The loss scale in force, as last seen.</summary>
    public double LossScale { get; private set; } = 1;

    /// <summary>How many good steps count towards its growth, as last seen.</summary>
    public int GoodSteps { get; private set; }

    /// <summary>The loss scale in force, where the device has it.</summary>
    public Storage LossScaleOnDevice => steps.LossScale;

    /// <summary>How many attempts the host has not seen.</summary>
    public int Unseen => steps.Attempts - seen;

    /// <summary>Moves parameters and their states to where steps need no host, or gives null where there is no such place.</summary>
    /// <param name="optimizer">Whose steps they are.</param>
    /// <param name="backend">Where all parameters are.</param>
    /// <param name="slots">The parameters.</param>
    /// <param name="initialState">What each remembered number is before the first step.</param>
    public static DeferredPipeline? Create(
        Optimizer optimizer, Backend backend, IReadOnlyList<ParameterSlot> slots, IReadOnlyList<float> initialState)
    {
        Storage[] parameters = [.. slots.Select(slot => slot.Parameter.Storage)];
        if (backend.Defer(parameters, [.. slots.Select(slot => PendingGradient.UnitCountsOf(slot.Parameter))], initialState) is not { } steps)
        {
            return null;
        }

        for (int i = 0; i < slots.Count; i++)
        {
            for (int number = 0; number < slots[i].State.Count; number++)
            {
                backend.Upload(ParameterSlot.Download(slots[i].State[number]), steps.State(i)[number]);
            }

            slots[i].State = steps.State(i);
        }

        return new DeferredPipeline(optimizer, steps, slots, parameters);
    }

    /// <summary>Whether it still has the parameters where they are.</summary>
    public bool Fits()
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (!ReferenceEquals(parameters[i], slots[i].Parameter.Storage))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Tells the device what the host has counted.</summary>
    /// <param name="stepCount">How many steps were made.</param>
    /// <param name="skippedSteps">How many were skipped.</param>
    /// <param name="consecutiveSkips">How many in a row.</param>
    /// <param name="lossScale">The loss scale in force.</param>
    /// <param name="goodSteps">How many good steps count towards its growth.</param>
    /// <param name="memory">What the rule carries after so many updates.</param>
    public void SetCounts(
        int stepCount, int skippedSteps, int consecutiveSkips, double lossScale, int goodSteps, Func<int, double> memory)
    {
        (StepCount, SkippedSteps, ConsecutiveSkips) = (stepCount, skippedSteps, consecutiveSkips);
        (LossScale, GoodSteps) = (lossScale, goodSteps);
        StepRecord counts = new()
        {
            StepCount = stepCount,
            SkippedSteps = skippedSteps,
            ConsecutiveSkips = consecutiveSkips,
            StoppedAt = stopped,
            NextLossScale = lossScale,
            GoodSteps = goodSteps,
        };
        steps.SetCounts(counts, [.. slots.Select(slot => slot.Step)], [.. slots.Select(slot => memory(slot.Step))]);
        seen = steps.Attempts;

        // The host may have made steps in between, so what stages remember is brought to the device anew as well.
        memories.Forget();
    }

    /// <summary>Begins a step.</summary>
    /// <param name="scale">What every gradient is multiplied by first.</param>
    /// <param name="isLossScaled">Whether every gradient is to be divided by the loss scale.</param>
    /// <param name="lossScaling">What becomes of the loss scale.</param>
    /// <param name="policy">What happens when a gradient is not usable.</param>
    /// <param name="setOf">The set of gradients of a group.</param>
    public void Begin(
        double scale, bool isLossScaled, Operations.LossScaleRule lossScaling, NonFinitePolicy policy, Func<ParameterGroup, int> setOf)
    {
        ReadWhatWillBeLost();
        PlaceSets(setOf);
        clipped.Clear();
        for (int i = 0; i < slots.Count; i++)
        {
            gradients[i] = slots[i].Pending.HasGradient ? slots[i].Pending.Gradient.Storage : null;
        }

        StepSettings settings = new(scale, Handling(policy), NonFiniteGradients.LargestUsable, acknowledged)
        {
            IsLossScaled = isLossScaled,
            LossScaling = lossScaling,
        };
        isScaled = isLossScaled;
        steps.Begin(gradients, sets, settings);
    }

    /// <summary>Queues a stage.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="number">Which of the step it is, from 0.</param>
    /// <param name="set">The set of gradients that it sees.</param>
    /// <param name="isLast">Whether it is the step's last.</param>
    public void Clip(ThresholdStage stage, int number, int set, bool isLast)
    {
        DeferredStage place = new(number, stage.History.Scope, stage.Order, set, isLast, memories.PlaceOf(stage.History, set));
        clipped.Add((stage, place));
        stage.Defer(steps, place);
    }

    /// <summary>Ends the stages of a step that has none.</summary>
    public void ClipNothing() => steps.DecideNothing();

    /// <summary>After the last stage: has the device remember the norms of the step, if it is made.</summary>
    public void Observe()
    {
        foreach ((ThresholdStage stage, DeferredStage place) in clipped)
        {
            if (place.Memory >= 0)
            {
                stage.History.Rule.Observe(steps, place);
            }
        }
    }

    /// <summary>Queues an update.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public void Update<TStep, TRule>(TStep step, int first, int end)
        where TStep : unmanaged, Operations.IStepRule<TRule>
        where TRule : unmanaged, Operations.IUpdateRule => steps.Update<TStep, TRule>(step, first, end);

    /// <summary>Queues an update that is measured first.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="history">The threshold of the updates' sizes.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public void UpdateMeasured<TStep, TRule>(TStep step, ThresholdHistory history, int first, int end)
        where TStep : unmanaged, Operations.IStepRule<TRule>
        where TRule : unmanaged, Operations.IMeasuredRule<TRule> =>
        history.Rule.UpdateMeasured<TStep, TRule>(steps, step, memories.PlaceOf(history, set: null), first, end);

    /// <summary>Queues that what the rule of an update is handed is decided for each parameter.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="history">The threshold of what is measured.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public void DecideUpdates<TStep, TRule>(TStep step, ThresholdHistory history, int first, int end)
        where TStep : unmanaged, Operations.IStepRule<TRule>
        where TRule : unmanaged, Operations.IUpdateMeasure =>
        history.Rule.DecideUpdates<TStep, TRule>(steps, step, memories.PlaceOf(history, set: null), first, end);

    /// <summary>Ends a step: lets go of its gradients.</summary>
    /// <returns>The number of the attempt, under which its record is found.</returns>
    public int End()
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            versions[i] = gradients[i]?.Version ?? NoGradient;
            gradients[i] = null;
        }

        return steps.Attempts;
    }

    /// <summary>Looks at what has become of the steps that were queued.</summary>
    public void Learn()
    {
        if (Unseen == 0)
        {
            return;
        }

        steps.ReadRecords(records);
        for (int attempt = seen + 1; attempt <= steps.Attempts; attempt++)
        {
            StepRecord record = Kept(attempt);
            if (record.Attempt != attempt)
            {
                continue; // What queued it threw before it was decided, so it has left no record.
            }

            (StepCount, SkippedSteps, ConsecutiveSkips) = ((int)record.StepCount, (int)record.SkippedSteps, (int)record.ConsecutiveSkips);
            (LossScale, GoodSteps) = (record.NextLossScale, (int)record.GoodSteps);
            if (record.StoppedAt == attempt)
            {
                stopped = attempt;
                failure ??= Failure(record, steps.Attempts - attempt);
            }
            else if (record.ConsecutiveSkips > optimizer.MaximumConsecutiveSkips)
            {
                failure ??= optimizer.TooManySkips((int)record.ConsecutiveSkips);
            }
        }

        seen = steps.Attempts;
    }

    /// <summary>Reads how many updates each parameter had.</summary>
    public void LearnUpdates()
    {
        int[] counts = new int[slots.Count];
        steps.ReadUpdateCounts(counts);
        for (int i = 0; i < counts.Length; i++)
        {
            slots[i].Step = counts[i];
        }
    }

    /// <summary>Reads what the stages remember.</summary>
    public void LearnMemories() => memories.Learn();

    /// <summary>Throws what a step has met that the host has seen, once. Steps go on after it.</summary>
    public void ThrowIfFailed()
    {
        if (failure is { } thrown)
        {
            (failure, acknowledged) = (null, stopped);
            throw thrown;
        }
    }

    /// <summary>What an attempt has measured.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <exception cref="InvalidOperationException">Its record is gone.</exception>
    public StepMeasurement Measurement(int attempt)
    {
        Learn();
        CheckKept(attempt);
        StepRecord record = Kept(attempt);
        bool wasSkipped = record.Outcome != 0;
        return new StepMeasurement(
            (int)record.StepCount + (wasSkipped ? 1 : 0),
            record.Norm,
            record.ClippedNorm,
            record.Bounds > 0,
            !wasSkipped && record.Zeroed > 0,
            record.Coefficient,
            record.Scalings > 0,
            wasSkipped,
            record.LossScale,
            record.Outcome == (double)StepOutcome.Overflow);
    }

    /// <summary>Whether the host has seen what an attempt has measured.</summary>
    /// <param name="attempt">The attempt.</param>
    public bool Knows(int attempt) => attempt <= seen;

    /// <summary>Whether the record of an attempt is gone.</summary>
    /// <param name="attempt">The attempt.</param>
    public bool HasForgotten(int attempt) => steps.Attempts - attempt >= DeferredSteps.RecordCount;

    /// <summary>Has the report of an attempt read before its record is lost.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="read">Reads it, with all others that it waits for.</param>
    public void ReadBeforeLoss(int attempt, Action read) =>
        readers[read] = Math.Min(attempt, readers.GetValueOrDefault(read, attempt));

    /// <summary>No report is waited for any more.</summary>
    /// <param name="read">What would have read it.</param>
    public void HasRead(Action read) => readers.Remove(read);

    /// <summary>Has all reports read that are waited for, of steps that may be the last.</summary>
    public void ReadWaiting()
    {
        while (readers.Count > 0)
        {
            Read(readers.First().Key);
        }
    }

    /// <summary>What the stages of an attempt did; nothing if a gradient that is not finite kept it from them.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="names">The stages' names.</param>
    /// <exception cref="InvalidOperationException">Its record is gone.</exception>
    public StageReport[] Stages(int attempt, string[] names)
    {
        Learn();
        CheckKept(attempt);
        if (Kept(attempt).Outcome is (double)StepOutcome.NotFinite or (double)StepOutcome.Overflow or (double)StepOutcome.Stopped)
        {
            return [];
        }

        if (names.Length > 0 && stagesSeen != seen)
        {
            stageRoom = steps.ReadStages(ref stageRecords);
            stagesSeen = seen;
        }

        return [.. names.Zip(stageRecords.Skip(attempt % DeferredSteps.RecordCount * stageRoom), (name, stage) =>
            new StageReport(name, stage.Norm, stage.Threshold, stage.Coefficient, stage.Acted > 0))];
    }

    /// <summary>Each gradient's norm at an attempt; NaN for a parameter that had none.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <exception cref="InvalidOperationException">Its record is gone.</exception>
    public double[] Norms(int attempt)
    {
        Learn();
        CheckKept(attempt);
        int count = slots.Count;
        if (attempt < normsFrom || attempt > normsTo)
        {
            // Who reads of one attempt reads of those after it too, as a history and a monitor do.
            int length = (seen - attempt + 1) * count;
            normRows = normRows.Length < length ? new double[length] : normRows;
            steps.ReadNorms(attempt, normRows.AsSpan(0, length));
            (normsFrom, normsTo) = (attempt, seen);
        }

        return normRows.AsSpan((attempt - normsFrom) * count, count).ToArray();
    }

    /// <summary>What became of each update at an attempt that was not withheld, and then what was decided before each; of one that was not measured it means nothing.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <exception cref="InvalidOperationException">Its record is gone.</exception>
    public UpdateRecord[] Updates(int attempt)
    {
        Learn();
        CheckKept(attempt);
        UpdateRecord[] updates = new UpdateRecord[2 * slots.Count];
        steps.ReadUpdates(attempt, updates);
        return updates;
    }

    /// <summary>Each gradient's norm as the update read it, or null if it is no longer what it was.</summary>
    /// <param name="attempt">The attempt.</param>
    public double[]? ClippedNorms(int attempt)
    {
        if (attempt != steps.Attempts || !Enumerable.Range(0, slots.Count).All(IsUnchanged))
        {
            return null;
        }

        double[] norms = new double[slots.Count];
        steps.MeasureClipped(norms);
        return norms;
    }

    private static BadGradients Handling(NonFinitePolicy policy) => policy switch
    {
        NonFinitePolicy.Throw => BadGradients.Stop,
        NonFinitePolicy.SkipStep => BadGradients.Skip,
        NonFinitePolicy.ZeroBadValues => BadGradients.ReadAsZero,
        NonFinitePolicy.Propagate => BadGradients.Use,
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "There is no such policy for non-finite gradients."),
    };

    /// <summary>Notes which set each parameter belongs to. Where that changes, the stages' memories are of other parameters, and are placed anew.</summary>
    private void PlaceSets(Func<ParameterGroup, int> setOf)
    {
        bool isNew = false;
        for (int i = 0; i < slots.Count; i++)
        {
            int set = setOf(slots[i].Group);
            isNew |= sets[i] != set;
        }

        if (isNew)
        {
            memories.Learn();
            memories.Forget();
            for (int i = 0; i < slots.Count; i++)
            {
                sets[i] = setOf(slots[i].Group);
            }
        }
    }

    /// <summary>Has reports read whose oldest record the next step overwrites.</summary>
    private void ReadWhatWillBeLost()
    {
        for (Action? reader = FirstToLose(); reader is not null; reader = FirstToLose())
        {
            Read(reader);
        }
    }

    private Action? FirstToLose()
    {
        foreach ((Action reader, int attempt) in readers)
        {
            if (HasForgotten(attempt - 1))
            {
                return reader;
            }
        }

        return null;
    }

    private void Read(Action reader)
    {
        reader();
        readers.Remove(reader);
    }

    private StepRecord Kept(int attempt) => records[attempt % records.Length];

    private void CheckKept(int attempt)
    {
        if (Kept(attempt).Attempt != attempt || attempt > seen)
        {
            throw new InvalidOperationException(
                $"The report of a step was read {steps.Attempts - attempt} steps later, but a device keeps the last {records.Length}. Read what you need of a report sooner, or set CheckInterval = 1.");
        }
    }

    private bool IsUnchanged(int i) =>
        versions[i] == (slots[i].Pending.HasGradient ? slots[i].Pending.Gradient.Storage.Version : NoGradient);

    private NonFiniteGradientException Failure(StepRecord record, int later)
    {
        List<string> names = [];
        for (int place = 0; place < Math.Min(record.BadCount, StepRecord.BadPlaces); place++)
        {
            names.Add(NonFiniteGradients.NameOf(slots[record.Bad(place)].Parameter, record.Bad(place)));
        }

        ParameterSlot first = slots[record.Bad(0)];
        bool isTooLarge = record.Outcome == (double)StepOutcome.TooLarge;
        BadElements elements = isTooLarge
            ? later == 0 && IsUnchanged(record.Bad(0)) ? FindLarge(record, first) : new BadElements(-1, 0, 0)
            : new BadElements((int)record.BadElement, (float)record.BadValue, (int)record.BadElements);
        double limit = isTooLarge ? NonFiniteGradients.LargestUsable : double.PositiveInfinity;
        string message = NonFiniteGradients.Describe(
            (int)record.StepCount + 1, limit, names, (int)record.BadCount, first.Parameter.Shape, elements, record.BadNorm);
        return new NonFiniteGradientException(later == 0
            ? message
            : $"{message} (Seen {later} steps later, none of which was made either, because steps on a device are looked at every {nameof(Optimizer.CheckInterval)} steps; 1 tells at once.)");
    }

    /// <summary>Which elements are too large is not recorded; right after the step the gradient is still there to look.</summary>
    private BadElements FindLarge(StepRecord record, ParameterSlot slot)
    {
        double[] before = new double[slots.Count];
        steps.ReadNorms((int)record.Attempt, before);
        double unscaled = slot.Pending.Coefficient / (isScaled ? record.LossScale : 1);
        double scale = unscaled * record.BadNorm / before[record.Bad(0)];
        return NonFiniteGradients.Find(slot.Pending.Gradient, scale, NonFiniteGradients.LargestUsable);
    }
}
