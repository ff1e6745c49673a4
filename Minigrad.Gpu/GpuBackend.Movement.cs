using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Copies, gathering and scattering.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void Copy(
        Storage x, StridedLayout source, Storage y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        List<StridedDimension> steps = [];
        int length = 1;
        for (int axis = 0; axis < dimensions.Length; axis++)
        {
            length *= dimensions[axis];
            if (dimensions[axis] != 1)
            {
                steps.Add(new StridedDimension(dimensions[axis], source.Strides[axis], target.Strides[axis]));
            }
        }

        if (length > 0)
        {
            Copy(View(x), source.Offset, View(y), target.Offset, steps);
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Gather(Storage x, ReadOnlySpan<int> rows, int width, Storage y)
    {
        if (rows.Length > 0 && width > 0)
        {
            using Scratch scratch = new(pool, rows.Length);
            ArrayView<int> deviceRows = scratch.Integers.SubView(0, rows.Length);
            queue.Upload(rows, deviceRows);
            queue.Launch(CopyKernels.Gather, rows.Length * width, View(x), deviceRows, width, View(y));
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ScatterAdd(Storage x, ReadOnlySpan<int> rows, int width, Storage y)
    {
        if (rows.Length > 0 && width > 0)
        {
            RowSegments segments = new(rows);
            using Scratch scratch = new(pool, segments.Order.Length + segments.Starts.Length + segments.Targets.Length);
            ArrayView<int> order = Upload(segments.Order, scratch.Integers, 0);
            ArrayView<int> starts = Upload(segments.Starts, scratch.Integers, order.Length);
            ArrayView<int> targets = Upload(segments.Targets, scratch.Integers, order.Length + starts.Length);
            int outputs = segments.Targets.Length * width;
            queue.Launch(CopyKernels.ScatterAdd, outputs, View(x), order, starts, targets, width, View(y));
        }

        KeepAlive(x, y);
    }

    /// <summary>Copies a block, and one of too many dimensions slice by slice.</summary>
    private void Copy(ArrayView<float> x, int source, ArrayView<float> y, int target, List<StridedDimension> dimensions)
    {
        if (dimensions.Count <= StridedBlock.MaximumRank)
        {
            int length = dimensions.Aggregate(1, (product, dimension) => product * dimension.Size);
            queue.Launch(CopyKernels.Strided, length, new StridedBlock([.. dimensions]), source, x, target, y);
            return;
        }

        StridedDimension outermost = dimensions[0];
        List<StridedDimension> rest = dimensions[1..];
        for (int i = 0; i < outermost.Size; i++)
        {
            Copy(x, source + (i * outermost.From), y, target + (i * outermost.To), rest);
        }
    }
}
