using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>What stages of clipping remember, what they record, and the units that some of them look at.</content>
internal sealed partial class GpuSteps
{
    // Those that were let go of have no slab.
    private readonly List<(ThresholdScope Scope, int SeriesLength, Slab? Slab, ArrayView<double> Numbers)> memories = [];
    private readonly UnitTable rows;
    private readonly UnitTable columns;
    private readonly int[] viewOf;
    private int stageRoom = 4;

    /// <inheritdoc/>
    public override int Remember(ThresholdScope scope, int seriesLength)
    {
        long count = (long)SeriesCount(scope) * seriesLength;
        int most = DeviceBufferPool.MostNumbers / Slab.Words<double>();
        if (count > most)
        {
            throw new GpuException(
                $"A clipping threshold that remembers norms by {scope.ToString().ToLowerInvariant()} takes {seriesLength} numbers for each "
                + $"of {SeriesCount(scope)}, {count} in all, but a buffer on a device holds {most}. "
                + "Take a smaller window, or a threshold that keeps none, as Threshold.MovingAverage.");
        }

        (Slab slab, ArrayView<double> numbers) = Rented<double>(count);
        int free = memories.FindIndex(memory => memory.Slab is null);
        if (free < 0)
        {
            free = memories.Count;
            memories.Add(default);
        }

        memories[free] = (scope, seriesLength, slab, numbers);
        return free;
    }

    /// <inheritdoc/>
    public override void Forget(int memory) => memories[memory] = default;

    /// <inheritdoc/>
    public override void WriteMemory(int memory, IReadOnlyList<double[]> memories)
    {
        (ThresholdScope scope, int seriesLength, _, ArrayView<double> view) = this.memories[memory];
        double[] numbers = new double[SeriesCount(scope) * seriesLength];
        for (int i = 0; i < memories.Count; i++)
        {
            memories[i].CopyTo(numbers, FirstSeries(scope, i) * seriesLength);
        }

        queue.Upload<double>(numbers, view.SubView(0, numbers.Length));
    }

    /// <inheritdoc/>
    public override void ReadMemory(int memory, IReadOnlyList<double[]> memories)
    {
        (ThresholdScope scope, int seriesLength, _, ArrayView<double> view) = this.memories[memory];
        double[] numbers = new double[SeriesCount(scope) * seriesLength];
        queue.Download(view.SubView(0, numbers.Length), numbers);
        for (int i = 0; i < memories.Count; i++)
        {
            numbers.AsSpan(FirstSeries(scope, i) * seriesLength, memories[i].Length).CopyTo(memories[i]);
        }
    }

    /// <inheritdoc/>
    public override void Observe<TRule>(TRule rule, DeferredStage stage)
    {
        int record = Attempts % RecordCount;
        switch (stage.Scope)
        {
            case ThresholdScope.Together:
                queue.Launch(StepKernels.ObserveTogether<TRule>, 1, memory, MemoryOf(stage), rule, record);
                break;
            case ThresholdScope.Parameter:
                queue.Launch(
                    StepKernels.ObserveParameters<TRule>, parameters.Length, memory, MemoryOf(stage), rule, record, stage.Set);
                break;
            default:
                UnitTable units = UnitsOf(stage.Scope);
                queue.Launch(
                    StepKernels.ObserveUnits<TRule>, units.Count, memory, units.View, MemoryOf(stage), rule, record, stage.Set);
                break;
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override int ReadStages(ref StageRecord[] records)
    {
        int length = RecordCount * stageRoom;
        if (records.Length < length)
        {
            records = new StageRecord[length];
        }

        queue.Download(memory.Stages.SubView(0, length), records.AsSpan(0, length));
        return stageRoom;
    }

    /// <summary>Where the records of the running step's stages begin.</summary>
    private int FirstStage => Attempts % RecordCount * stageRoom;

    /// <summary>What a threshold remembers; any view if that is nothing.</summary>
    private ArrayView<double> MemoryOf(int remembered) => remembered < 0 ? memory.Partials : memories[remembered].Numbers;

    private ArrayView<double> MemoryOf(DeferredStage stage) => MemoryOf(stage.Memory);

    private int SeriesCount(ThresholdScope scope) => scope switch
    {
        ThresholdScope.Together => 1,
        ThresholdScope.Parameter => parameters.Length,
        _ => unitRoom,
    };

    private int FirstSeries(ThresholdScope scope, int parameter) =>
        scope is ThresholdScope.Row or ThresholdScope.Column ? unitOffsets[parameter] : parameter;

    /// <summary>Where a stage's record goes, after room was made for it: the records kept so far are moved.</summary>
    private int PlaceOf(DeferredStage stage)
    {
        if (stage.Number >= stageRoom)
        {
            int room = Math.Max(stage.Number + 1, 2 * stageRoom);
            StageRecord[] known = new StageRecord[RecordCount * stageRoom];
            queue.Download(memory.Stages.SubView(0, known.Length), known);
            StageRecord[] moved = new StageRecord[RecordCount * room];
            for (int record = 0; record < RecordCount; record++)
            {
                Array.Copy(known, record * stageRoom, moved, record * room, stageRoom);
            }

            memory.Stages = Table<StageRecord>(moved.Length);
            queue.Upload<StageRecord>(moved, memory.Stages);
            stageRoom = room;
        }

        return FirstStage + stage.Number;
    }

    private UnitTable UnitsOf(ThresholdScope scope)
    {
        bool areColumns = scope == ThresholdScope.Column;
        UnitTable table = areColumns ? columns : rows;
        if (table.IsCurrent)
        {
            return table;
        }

        List<Chunk> units = [];
        for (int i = 0; i < parameters.Length; i++)
        {
            table.Starts[i] = units.Count;
            int count = places[i].UnitCount(areColumns ? 1 : 0);
            for (int unit = 0; unit < count; unit++)
            {
                int length = parameters[i].Length / count;
                int start = areColumns ? unit : unit * length;
                units.Add(ChunkOf(i, start, length, gap: 0, viewOf[i], unitOffsets[i] + unit, areColumns ? count : 1));
            }

            table.Ends[i] = units.Count;
        }

        if (table.View.IntLength < units.Count)
        {
            table.View = Table<Chunk>(unitCounts.Sum(counts => counts.Series(scope)));
        }

        table.Count = units.Count;
        table.IsCurrent = true;
        queue.Upload<Chunk>([.. units], table.View.SubView(0, units.Count));
        return table;
    }
}
