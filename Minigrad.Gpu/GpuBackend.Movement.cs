using System.Numerics;
using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Copies, gathering and scattering.</content>
public sealed partial class GpuBackend
{
    /// <summary>How many threads of a group run together on most devices, however few have work.</summary>
    private const int FewestThreads = 32;

    /// <inheritdoc/>
    public override void Copy(
        Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        Span<StridedDimension> steps = stackalloc StridedDimension[dimensions.Length];
        int rank = 0;
        int length = 1;
        for (int axis = 0; axis < dimensions.Length; axis++)
        {
            StridedDimension step = new(dimensions[axis], source.Strides[axis], target.Strides[axis]);
            length *= step.Size;
            if (rank > 0 && steps[rank - 1].Continues(step))
            {
                steps[rank - 1] = new StridedDimension(steps[rank - 1].Size * step.Size, step.From, step.To);
            }
            else if (step.Size != 1)
            {
                steps[rank++] = step;
            }
        }

        if (length > 0)
        {
            Copy(View(x), source.Offset, View(y), target.Offset, steps[..rank], length);
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Gather(Storage x, RowNumbers rows, int width, Storage y)
    {
        if (width > 0)
        {
            queue.Launch(CopyKernels.Gather, rows.Count * width, View(x), View(rows), width, View(y));
        }

        KeepAlive(x, y, rows.OnDevice);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Storage x, RowNumbers rows, int width, Storage y)
    {
        if (width > 0 && rows.Count > 0)
        {
            rows.AreAdded = true;
            ArrayView<int> numbers = View(rows);
            int lanes = LanesOf(width);
            int blocks = (width + lanes - 1) / lanes;
            int threads = (int)BitOperations.RoundUpToPowerOf2((uint)(lanes * Math.Min(queue.GroupSize, rows.Count / rows.GroupsOnDevice)));
            int groups = rows.GroupsOnDevice * blocks;
            queue.LaunchGroups(
                ScatterKernels.Add,
                groups,
                Math.Max(lanes, queue.GroupSizeFor(groups, Math.Max(FewestThreads, threads))),
                new ScatterArguments(rows.Count, width, lanes),
                View(x),
                numbers,
                View(y));
        }

        KeepAlive(x, y, rows.OnDevice);
    }

    /// <summary>Copies a block, and one of too many dimensions slice by slice.</summary>
    private void Copy(
        ArrayView<float> x, int source, ArrayView<float> y, int target, ReadOnlySpan<StridedDimension> dimensions, int length)
    {
        if (dimensions is [] or [{ From: 1, To: 1 }])
        {
            queue.Launch(CopyKernels.Contiguous, length, x.SubView(source, length), y.SubView(target, length));
        }
        else if (dimensions.Length <= StridedBlock.MaximumRank)
        {
            queue.Launch(CopyKernels.Strided, length, new StridedBlock(dimensions), source, x, target, y);
        }
        else
        {
            StridedDimension outermost = dimensions[0];
            for (int i = 0; i < outermost.Size; i++)
            {
                Copy(x, source + (i * outermost.From), y, target + (i * outermost.To), dimensions[1..], length / outermost.Size);
            }
        }
    }

    /// <summary>The numbers on the device, sent there at their first use; with their groups where rows are added by them.</summary>
    private ArrayView<int> View(RowNumbers rows)
    {
        if (rows.Count == 0)
        {
            return ArrayView<int>.Empty;
        }

        if (rows.OnDevice is { } copy && copy.Backend == this && (rows.GroupsOnDevice > 0 || !rows.AreAdded))
        {
            return View(copy).Cast<int>();
        }

        int groups = 0;
        ReadOnlySpan<int> numbers = rows.AreAdded ? RowGroups.Of(rows.Values, out groups) : rows.Values;
        Storage storage = Allocate(numbers.Length);
        ArrayView<int> view = View(storage).Cast<int>();
        queue.Upload(numbers, view);
        rows.OnDevice = storage;
        rows.GroupsOnDevice = groups;
        return view;
    }
}
