using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>
/// An optimizer's steps on the device. The parameters and what is remembered of them lie side by side in slabs, so that one
/// launch updates all; gradients are read where backward left them, sixteen by one launch. A step with one stage is three
/// launches: measure, decide, update.
/// </summary>
internal sealed partial class GpuSteps : DeferredSteps
{
    private const int ShortestChunk = 4096;
    private const int ManyChunks = 1024;

    /// <summary>Where counts go that the host has set: behind the records, of which none is overwritten by it.</summary>
    private const int CountsPlace = RecordCount;

    private readonly DeviceQueue queue;
    private readonly GpuStorage[] parameters;
    private readonly DeviceBufferPool pool;
    private readonly UnitCounts[] unitCounts;
    private readonly int[] unitOffsets;
    private readonly int unitRoom;
    private readonly GpuStorage[][] states;
    private readonly Slab[] stateSlabs;
    private readonly int[] offsets;
    private readonly int[] sets;
    private readonly int chunkLength;
    private readonly List<Slab> owned = [];
    private readonly GpuStorage lossScale;

    // The tables of the gradients that there were at the last step.
    private readonly ParameterPlace[] places;
    private readonly List<int> windowStarts = [];
    private readonly List<GradientWindow> windows = [];
    private readonly List<ArrayView<float>> views = [];
    private readonly ArrayView<float>[] gradientViews;
    private StepMemory memory;
    private int chunkCount;

    // Where the record is that the next step goes on from.
    private int predecessor = CountsPlace;

    // What the running step has yet to do.
    private StepSettings settings;
    private bool isFirst;
    private bool hasBound;
    private bool hasUnits;
    private bool hasCopies;
    private Slab? copies;

    /// <summary>Moves the parameters together, and makes room for what is remembered of them.</summary>
    public GpuSteps(
        GpuBackend backend,
        DeviceQueue queue,
        DeviceBufferPool pool,
        GpuStorage[] parameters,
        IReadOnlyList<UnitCounts> unitCounts,
        IReadOnlyList<float> initialState)
    {
        this.queue = queue;
        this.pool = pool;
        this.parameters = parameters;
        this.unitCounts = [.. unitCounts];
        offsets = new int[parameters.Length];
        sets = new int[parameters.Length];
        places = new ParameterPlace[parameters.Length];
        gradientViews = new ArrayView<float>[parameters.Length];
        unitOffsets = new int[parameters.Length];
        viewOf = new int[parameters.Length];
        (rows, columns) = (new UnitTable(parameters.Length), new UnitTable(parameters.Length));
        long room = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            offsets[i] = (int)room;
            room += Slab.Aligned(parameters[i].Length);
            unitOffsets[i] = unitRoom;
            unitRoom += Math.Max(unitCounts[i].Rows, unitCounts[i].Columns);
        }

        MoveTogether((int)room);
        stateSlabs = [.. initialState.Select(_ => new Slab(pool, (int)room))];
        states = [.. parameters.Select((parameter, i) =>
            stateSlabs.Select(slab => new GpuStorage(backend, pool, slab, offsets[i], parameter.Length)).ToArray())];
        for (int slot = 0; slot < stateSlabs.Length; slot++)
        {
            queue.Launch(
                ElementwiseKernels.Fill, stateSlabs[slot].Floats.IntLength, initialState[slot], stateSlabs[slot].Floats);
        }

        chunkLength = (int)Math.Max(ShortestChunk, Slab.Aligned(room / ManyChunks));
        lossScale = new GpuStorage(backend, pool, 1);
        MakeTables();
        Array.Fill(sets, int.MinValue);
    }

    /// <inheritdoc/>
    public override Storage LossScale => lossScale;

    /// <inheritdoc/>
    public override IReadOnlyList<Storage> State(int parameter) => states[parameter];

    /// <summary>How many words the parameters take side by side.</summary>
    /// <param name="parameters">The parameters.</param>
    public static long Room(GpuStorage[] parameters) => parameters.Sum(parameter => Slab.Aligned(parameter.Length));

    /// <inheritdoc/>
    public override void Begin(ReadOnlySpan<Storage?> gradients, ReadOnlySpan<int> sets, StepSettings settings)
    {
        this.settings = settings;
        if (!IsKnown(gradients, sets))
        {
            UploadTables(gradients, sets);
        }

        Attempts++;
        for (int i = 0; i < gradients.Length; i++)
        {
            gradientViews[i] = gradients[i] is GpuStorage { Length: > 0 } gradient ? gradient.View : default;
        }

        FillWindows();
        (isFirst, hasBound, hasUnits, hasCopies) = (true, false, false, false);
        Measure(default(SquareTerm), target: 0);
    }

    /// <inheritdoc/>
    public override void Decide<TDecision, TRule>(TDecision decision, TRule rule, DeferredStage stage)
    {
        DecideArguments arguments = Arguments(stage.Order, stage.Set, stage.IsLast);
        WritePending(ref arguments, stage.Set, unitsToo: stage.Order != 2);
        if (stage.Order is not 2)
        {
            MeasureOrder(ref arguments);
        }

        hasBound |= decision.MayBound;
        (arguments.StagePlace, arguments.StageNumber) = (PlaceOf(stage), stage.Number);
        Launch(MemoryOf(stage), decision, rule, arguments);
    }

    /// <inheritdoc/>
    public override void DecideUnits<TDecision, TRule>(TDecision decision, TRule rule, DeferredStage stage)
    {
        // Units are decided from the state of their gradients, so that has to be settled first.
        DecideArguments arguments = Arguments(2, StepKernels.AllSets, isLast: false);
        bool writes = WritePending(ref arguments, stage.Set, unitsToo: true);
        if (arguments.IsFirst != 0 || writes)
        {
            arguments.Set = stage.Set;
            Settle(arguments);
        }

        UnitTable units = UnitsOf(stage.Scope);
        foreach ((int window, int first, int end) in Runs(0, parameters.Length))
        {
            int firstUnit = units.Starts[first];
            int count = units.Ends[end - 1] - firstUnit;
            queue.LaunchGroups(
                StepKernels.DecideUnits<TDecision, TRule>,
                count,
                queue.GroupSizeFor(count, queue.GroupSize),
                memory,
                MemoryOf(stage),
                windows[window],
                BufferOf(parameters[first]),
                new UnitStage<TDecision, TRule>(units.View, decision, rule, firstUnit, stage.Set),
                Reading(float.PositiveInfinity));
        }

        hasUnits = true;
        DecideArguments combination = Arguments(2, stage.Set, stage.IsLast);
        combination.CombinesUnits = 1;
        combination.UnitsAreColumns = stage.Scope == ThresholdScope.Column ? 1 : 0;
        combination.StagePlace = PlaceOf(stage);
        Settle(combination);
    }

    /// <inheritdoc/>
    public override void DecideNothing() => Settle(Arguments(2, StepKernels.AllSets, isLast: true));

    /// <inheritdoc/>
    public override void Update<TStep, TRule>(TStep step, int first, int end)
    {
        foreach ((int window, int from, int to) in Runs(first, end))
        {
            LaunchUpdate(StepKernels.Update<TStep, TRule>, step, window, from, to);
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override void UpdateMeasured<TStep, TRule, TThreshold>(TStep step, TThreshold threshold, int memory, int first, int end)
    {
        UpdateThreshold<TThreshold> asked = new(MemoryOf(memory), threshold);
        foreach ((int window, int from, int to) in Runs(first, end))
        {
            LaunchUpdate(StepKernels.MeasureUpdate<TStep, TRule>, step, window, from, to);
            (int firstChunk, int chunks) = ChunksOf(from, to);
            queue.LaunchGroups(
                StepKernels.UpdateMeasured<TStep, TRule, TThreshold>,
                chunks,
                queue.GroupSize,
                this.memory,
                windows[window],
                TargetOf(from),
                step,
                Reading((float)settings.LargestUsable),
                firstChunk,
                asked);
        }

        if (memory >= 0)
        {
            queue.Launch(
                StepKernels.ObserveUpdates<TThreshold>, end - first, this.memory, asked, Attempts % RecordCount, first);
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override void DecideUpdates<TStep, TRule, TThreshold>(TStep step, TThreshold threshold, int memory, int first, int end)
    {
        foreach ((int window, int from, int to) in Runs(first, end))
        {
            LaunchUpdate(StepKernels.MeasureUpdate<TStep, TRule>, step, window, from, to);
        }

        queue.LaunchGroups(
            StepKernels.DecideUpdates<TStep, TRule, TThreshold>,
            end - first,
            queue.GroupSize,
            this.memory,
            step,
            new UpdateThreshold<TThreshold>(MemoryOf(memory), threshold),
            Attempts % RecordCount,
            first);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override void ReadRecords(Span<StepRecord> records) => queue.Download(memory.Records.SubView(0, RecordCount), records);

    /// <inheritdoc/>
    public override void ReadNorms(int attempt, Span<double> norms)
    {
        int first = attempt % RecordCount * parameters.Length;
        int whole = RecordCount * parameters.Length;
        if (first + norms.Length <= whole)
        {
            queue.Download(memory.Norms.SubView(first, norms.Length), norms);
            return;
        }

        // Rows are used in turn, and these go on from the first after the last: read whole, that is still one copy.
        double[] all = new double[whole];
        queue.Download(memory.Norms.SubView(0, whole), all);
        all.AsSpan(first).CopyTo(norms);
        all.AsSpan(0, first + norms.Length - whole).CopyTo(norms[(whole - first)..]);
    }

    /// <inheritdoc/>
    public override void ReadUpdates(int attempt, Span<UpdateRecord> updates) => queue.Download(
        memory.Updates.SubView(2L * (attempt % RecordCount) * parameters.Length, 2 * parameters.Length), updates);

    /// <inheritdoc/>
    public override void MeasureClipped(Span<double> norms)
    {
        for (int window = 0; window < windows.Count; window++)
        {
            (int first, int count) = ChunksOf(window);
            queue.LaunchGroups(
                StepKernels.MeasureScaled,
                count,
                queue.GroupSize,
                memory,
                windows[window],
                Reading((float)settings.LargestUsable),
                first,
                chunkCount);
        }

        double[] partials = new double[chunkCount];
        queue.Download(memory.Partials.SubView(chunkCount, chunkCount), partials);
        for (int i = 0; i < norms.Length; i++)
        {
            double sum = 0;
            for (int chunk = 0; chunk < places[i].ChunkCount; chunk++)
            {
                sum += partials[places[i].FirstChunk + chunk];
            }

            norms[i] = Math.Sqrt(sum);
        }
    }

    /// <inheritdoc/>
    public override void ReadUpdateCounts(Span<int> counts)
    {
        GradientState[] known = new GradientState[parameters.Length];
        queue.Download(memory.States, known);
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = (int)known[i].Updates;
        }
    }

    /// <inheritdoc/>
    public override void SetCounts(StepRecord counts, ReadOnlySpan<int> updates, ReadOnlySpan<double> memories)
    {
        GradientState[] known = new GradientState[parameters.Length];
        for (int i = 0; i < known.Length; i++)
        {
            known[i] = new GradientState { Updates = updates[i], EvenMemory = memories[i], OddMemory = memories[i] };
        }

        queue.Upload<GradientState>(known, memory.States);
        counts.Attempt = Attempts;
        queue.Launch(ElementwiseKernels.Fill, 1, (float)counts.NextLossScale, lossScale.View);
        queue.Upload([counts], memory.Records.SubView(CountsPlace, 1));
        predecessor = CountsPlace;
    }

    /// <summary>Launches a kernel over the chunks of a run of parameters.</summary>
    private void LaunchUpdate<TStep>(
        Action<StepMemory, GradientWindow, ParameterMemory, TStep, GradientReading, int> kernel, TStep step, int window, int first, int end)
        where TStep : unmanaged
    {
        (int firstChunk, int chunks) = ChunksOf(first, end);
        queue.LaunchGroups(
            kernel,
            chunks,
            queue.GroupSize,
            memory,
            windows[window],
            TargetOf(first),
            step,
            Reading((float)settings.LargestUsable),
            firstChunk);
    }

    /// <summary>The chunks of a run of parameters.</summary>
    private (int First, int Count) ChunksOf(int first, int end)
    {
        int firstChunk = places[first].FirstChunk;
        return (firstChunk, places[end - 1].FirstChunk + places[end - 1].ChunkCount - firstChunk);
    }

    /// <summary>The buffers of a run of parameters.</summary>
    private ParameterMemory TargetOf(int first)
    {
        ArrayView<float> buffer = BufferOf(parameters[first]);
        return new ParameterMemory(buffer, StateView(0, buffer), StateView(1, buffer), StateView(2, buffer));
    }

    private ArrayView<float> StateView(int slot, ArrayView<float> other) =>
        slot < stateSlabs.Length ? stateSlabs[slot].Floats : other;

    /// <summary>How gradients are read. Without a limit none is looked for yet: then an overflow of a dynamic loss scale must show.</summary>
    private GradientReading Reading(float largestUsable)
    {
        bool mustShow = settings.LossScaling.IsDynamic && float.IsPositiveInfinity(largestUsable);
        return new(Attempts % RecordCount, FirstStage, settings.Bad == BadGradients.ReadAsZero && !mustShow ? 1 : 0, largestUsable);
    }

    private DecideArguments Arguments(double order, int set, bool isLast) => new()
    {
        Attempt = Attempts,
        Predecessor = predecessor,
        Acknowledged = settings.Acknowledged,
        Bad = (int)settings.Bad,
        IsFirst = isFirst ? 1 : 0,
        IsLast = isLast ? 1 : 0,
        Set = set,
        ChunkCount = chunkCount,
        Scale = settings.Scale,
        IsLossScaled = settings.IsLossScaled ? 1 : 0,
        LossScaling = settings.LossScaling,
        Order = order,
        LargestUsable = settings.LargestUsable,
        StagePlace = -1,
    };

    private void Launch<TDecision, TRule>(
        ArrayView<double> remembered, TDecision decision, TRule rule, DecideArguments arguments)
        where TDecision : unmanaged, IClipDecision
        where TRule : unmanaged, IThresholdRule
    {
        (isFirst, predecessor) = (false, Attempts % RecordCount);
        queue.LaunchGroups(
            StepKernels.Decide<TDecision, TRule>, 1, queue.GroupSize, memory, remembered, decision, rule, arguments);
        GC.KeepAlive(this);
    }

    /// <summary>A decision that changes nothing, for what else a launch combines.</summary>
    private void Settle(DecideArguments arguments) =>
        Launch(memory.Partials, default(NoClip), new FixedThreshold(double.PositiveInfinity), arguments);

    private void Measure<TTerm>(TTerm term, int target)
        where TTerm : struct, INormTerm
    {
        for (int window = 0; window < windows.Count; window++)
        {
            (int first, int count) = ChunksOf(window);
            queue.LaunchGroups(
                StepKernels.Measure<TTerm>,
                count,
                queue.GroupSize,
                memory,
                windows[window],
                term,
                Reading(float.PositiveInfinity),
                first,
                target);
        }
    }

    /// <summary>A stage that reads memory has what is pending written first, to a copy, where there may be any.</summary>
    /// <returns>Whether it was.</returns>
    private bool WritePending(ref DecideArguments arguments, int set, bool unitsToo)
    {
        if (set < 0 || !(hasBound || (unitsToo && hasUnits)))
        {
            return false;
        }

        CopyGradients();
        for (int window = 0; window < windows.Count; window++)
        {
            (int first, int count) = ChunksOf(window);
            queue.LaunchGroups(
                StepKernels.Write,
                count,
                queue.GroupSize,
                memory,
                windows[window],
                Reading(float.PositiveInfinity),
                first,
                set,
                unitsToo ? 1 : 0);
        }

        Measure(default(SquareTerm), target: 0);
        arguments.IsWritten = 1;
        arguments.UnitsToo = unitsToo ? 1 : 0;
        return true;
    }

    private void MeasureOrder(ref DecideArguments arguments)
    {
        arguments.CombinesOrder = 1;
        if (arguments.Order == 1)
        {
            Measure(default(MagnitudeTerm), chunkCount);
            return;
        }

        Measure(default(LargestTerm), chunkCount);
        if (!double.IsPositiveInfinity(arguments.Order))
        {
            // Other powers are taken of magnitudes divided by the largest, which has to be known before.
            DecideArguments largest = arguments;
            (largest.CombinesOrder, largest.IsLast) = (2, 0);
            Settle(largest);
            (arguments.IsFirst, arguments.IsWritten) = (0, 0);
            Measure(new ScaledPowerTerm(arguments.Order, memory.Largest), chunkCount);
        }
    }
}
