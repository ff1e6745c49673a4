using System.Numerics;
using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Reductions and scans of an axis.</content>
public sealed partial class GpuBackend
{
    /// <summary>Up to this length an axis is reduced by one thread.</summary>
    private const int LongestLine = 32;

    /// <summary>How many elements of an axis a thread takes before the axis is cut into chunks, each for a group.</summary>
    private const int ElementsPerThread = 16;

    /// <summary>How many chunks an axis is cut into at most: what a second pass of one group reduces quickly.</summary>
    private const int MostChunks = 512;

    /// <summary>How many columns a group takes: threads that read a line of memory together.</summary>
    private const int WidestLanes = 32;

    /// <inheritdoc/>
    public override void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
    {
        Reduce(reduction, View(x), layout, View(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ArgMax(Storage x, AxisLayout layout, float sign, int[] indices)
    {
        if (indices.Length == 0)
        {
            return;
        }

        using Scratch scratch = new(pool, indices.Length);
        ArrayView<int> found = scratch.Integers.SubView(0, indices.Length);
        queue.Launch(ReductionKernels.ArgMax, indices.Length, View(x), layout.Axis, layout.Inner, sign, found);
        queue.Download(found, indices);
        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void CumulativeSum(Storage x, AxisLayout layout, bool reverse, Storage y)
    {
        queue.Launch(
            ReductionKernels.CumulativeSum,
            layout.Axis == 0 ? 0 : layout.Outer * layout.Inner,
            View(x),
            layout.Axis,
            layout.Inner,
            reverse ? layout.Axis - 1 : 0,
            reverse ? -1 : 1,
            View(y));
        KeepAlive(x, y);
    }

    private void Reduce<TReduction>(TReduction reduction, ArrayView<float> x, AxisLayout layout, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int outputs = layout.Outer * layout.Inner;
        if (layout.Axis <= LongestLine)
        {
            queue.Launch(ReductionKernels.ReduceShort<TReduction>, outputs, reduction, x, layout.Axis, layout.Inner, y);
            return;
        }

        int lanes = LanesOf(layout.Inner);
        int rows = queue.GroupSize / lanes;
        int chunks = Math.Min(MostChunks, (layout.Axis + (rows * ElementsPerThread) - 1) / (rows * ElementsPerThread));
        if (chunks == 1)
        {
            Reduce(reduction, x, layout, lanes, 1, takesTerms: 1, y);
        }
        else if (outputs > 0)
        {
            using Scratch partials = new(pool, outputs * chunks);
            Reduce(reduction, x, layout, lanes, chunks, takesTerms: 1, partials.Floats);
            Reduce(reduction, partials.Floats, layout with { Axis = chunks }, lanes, 1, takesTerms: 0, y);
        }
    }

    private void Reduce<TReduction>(
        TReduction reduction, ArrayView<float> x, AxisLayout layout, int lanes, int chunks, int takesTerms, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int blocks = (layout.Inner + lanes - 1) / lanes;
        int chunkLength = (layout.Axis + chunks - 1) / chunks;
        int groups = layout.Outer * chunks * blocks;
        queue.LaunchGroups(
            ReductionKernels.Reduce<TReduction>,
            groups,
            Math.Max(lanes, queue.GroupSizeFor(groups, queue.GroupSize)),
            reduction,
            new ReductionArguments(layout.Axis, layout.Inner, lanes, chunks, chunkLength, takesTerms),
            x,
            y);
    }

    /// <summary>How many columns a group takes: a power of two, so that a thread finds its own by a mask.</summary>
    private int LanesOf(int columns) =>
        (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(columns, 1, Math.Min(WidestLanes, queue.GroupSize)));
}
