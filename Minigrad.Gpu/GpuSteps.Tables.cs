using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>What lies on the device for the steps: parameters side by side, tables, and which launch covers which of them.</content>
internal sealed partial class GpuSteps
{
    private static ArrayView<float> BufferOf(GpuStorage storage) => storage.Slab?.Floats ?? storage.View;

    private void MoveTogether(int room)
    {
        Slab slab = new(pool, room);
        for (int i = 0; i < parameters.Length; i++)
        {
            if (parameters[i] is { Slab: null, Length: > 0 })
            {
                queue.Copy(parameters[i].View, slab.Floats.SubView(offsets[i], parameters[i].Length));
                parameters[i].MoveInto(slab, offsets[i]);
            }
        }
    }

    private ArrayView<T> Table<T>(long count)
        where T : unmanaged
    {
        (Slab slab, ArrayView<T> table) = Rented<T>(count);
        owned.Add(slab);
        return table;
    }

    private (Slab Slab, ArrayView<T> Table) Rented<T>(long count)
        where T : unmanaged
    {
        int length = (int)Math.Max(1, count);
        Slab slab = new(pool, checked(length * Slab.Words<T>()));
        return (slab, slab.As<T>(length));
    }

    private void MakeTables()
    {
        int chunks = parameters.Sum(parameter => ChunksOf(parameter));
        memory = new StepMemory
        {
            Chunks = Table<Chunk>(chunks),
            Places = Table<ParameterPlace>(parameters.Length),
            LargeParameters = Table<int>(parameters.Count(parameter => ChunksOf(parameter) > StepKernels.FewPartials)),
            States = Table<GradientState>(parameters.Length),
            Records = Table<StepRecord>(RecordCount + 1),
            LossScale = lossScale.View,
            Norms = Table<double>((long)RecordCount * parameters.Length),
            Updates = Table<UpdateRecord>(2L * RecordCount * parameters.Length),
            Partials = Table<double>(2L * chunks),
            Faults = Table<double>(3L * chunks),
            UnitResults = Table<double>((long)StepKernels.UnitResultLength * unitRoom),
            UnitFactors = Table<float>(2L * unitRoom),
            Largest = Table<float>(parameters.Length),
            Stages = Table<StageRecord>((long)RecordCount * stageRoom),
        };
        queue.Upload<StepRecord>(new StepRecord[RecordCount + 1], memory.Records);
        queue.Upload<GradientState>(new GradientState[parameters.Length], memory.States);
    }

    private int ChunksOf(GpuStorage parameter) => (int)(((long)parameter.Length + chunkLength - 1) / chunkLength);

    private bool IsKnown(ReadOnlySpan<Storage?> gradients, ReadOnlySpan<int> sets)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (this.sets[i] != (gradients[i] is null ? ParameterPlace.NoGradient : sets[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes the tables anew when other parameters have gradients, or belong to other sets, than at the last step.</summary>
    private void UploadTables(ReadOnlySpan<Storage?> gradients, ReadOnlySpan<int> sets)
    {
        List<Chunk> chunks = [];
        List<int> large = [];
        windowStarts.Clear();
        int view = GradientWindow.Size;
        for (int i = 0; i < parameters.Length; i++)
        {
            bool hasGradient = gradients[i] is not null;
            bool hasNumbers = hasGradient && parameters[i].Length > 0;
            this.sets[i] = hasGradient ? sets[i] : ParameterPlace.NoGradient;
            int firstChunk = chunks.Count;
            if (hasNumbers)
            {
                if (view == GradientWindow.Size)
                {
                    windowStarts.Add(i);
                    view = 0;
                }

                AddChunks(chunks, i, view);
                viewOf[i] = view;
                view++;
            }

            places[i] = new ParameterPlace(
                this.sets[i],
                firstChunk,
                chunks.Count - firstChunk,
                unitOffsets[i],
                hasNumbers ? unitCounts[i] : default,
                parameters[i].Length);
            if (places[i].ChunkCount > StepKernels.FewPartials)
            {
                large.Add(i);
            }
        }

        chunkCount = chunks.Count;
        rows.IsCurrent = false;
        columns.IsCurrent = false;
        while (large.Count < memory.LargeParameters.IntLength)
        {
            large.Add(-1);
        }

        queue.Upload<Chunk>([.. chunks], memory.Chunks.SubView(0, chunks.Count));
        queue.Upload<ParameterPlace>(places, memory.Places);
        queue.Upload<int>([.. large], memory.LargeParameters);
    }

    private void AddChunks(List<Chunk> chunks, int parameter, int view)
    {
        const int Tile = 1 << Chunk.TileBits;
        int length = parameters[parameter].Length;
        int count = ChunksOf(parameters[parameter]);
        int tiles = (int)(((long)length + Tile - 1) / Tile);
        for (int chunk = 0; chunk < count; chunk++)
        {
            // The parameter's last tile may be short, and belongs to the chunk whose turn it is.
            int own = (tiles - chunk + count - 1) / count;
            int missing = (tiles - 1) % count == chunk ? (int)(((long)tiles * Tile) - length) : 0;
            chunks.Add(ChunkOf(
                parameter, chunk * Tile, (int)(((long)own * Tile) - missing), (count - 1) * Tile, view, unitOffsets[parameter], stride: 1));
        }
    }

    private Chunk ChunkOf(int parameter, int start, int length, int gap, int view, int firstUnit, int stride)
    {
        GpuStorage storage = parameters[parameter];
        UnitCounts units = unitCounts[parameter];
        return new Chunk(
            parameter, start, length, gap, view, storage.Offset, offsets[parameter], firstUnit, storage.Length / units.Rows, units.Columns, stride);
    }

    /// <summary>Has the rest of the step read copies of the gradients, which stages may write to: those that backward left are not the step's.</summary>
    private void CopyGradients()
    {
        if (hasCopies)
        {
            return;
        }

        hasCopies = true;
        copies ??= new Slab(pool, (int)Room(parameters));
        for (int i = 0; i < parameters.Length; i++)
        {
            if (places[i].ChunkCount > 0)
            {
                ArrayView<float> copy = copies.Floats.SubView(offsets[i], parameters[i].Length);
                queue.Copy(gradientViews[i], copy);
                gradientViews[i] = copy;
            }
        }

        FillWindows();
    }

    private void FillWindows()
    {
        windows.Clear();
        for (int window = 0; window < windowStarts.Count; window++)
        {
            int end = window + 1 < windowStarts.Count ? windowStarts[window + 1] : parameters.Length;
            views.Clear();
            for (int i = windowStarts[window]; i < end; i++)
            {
                if (places[i].ChunkCount > 0)
                {
                    views.Add(gradientViews[i]);
                }
            }

            windows.Add(new GradientWindow(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(views)));
        }
    }

    private (int First, int Count) ChunksOf(int window)
    {
        int first = places[windowStarts[window]].FirstChunk;
        int end = window + 1 < windowStarts.Count ? places[windowStarts[window + 1]].FirstChunk : chunkCount;
        return (first, end - first);
    }

    /// <summary>The parameters of a range in runs that one launch can update: of one window and one buffer.</summary>
    private IEnumerable<(int Window, int First, int End)> Runs(int first, int end)
    {
        for (int window = 0; window < windowStarts.Count; window++)
        {
            int windowEnd = window + 1 < windowStarts.Count ? windowStarts[window + 1] : parameters.Length;
            int from = Math.Max(first, windowStarts[window]);
            int to = Math.Min(end, windowEnd);
            while (from < to)
            {
                int next = from + 1;
                while (next < to && ReferenceEquals(parameters[next].Slab, parameters[from].Slab))
                {
                    next++;
                }

                yield return (window, from, next);
                from = next;
            }
        }
    }
}
