using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Reductions and scans of an axis.</content>
public sealed partial class GpuBackend
{
    /// <summary>Up to this length an axis is reduced by one thread.</summary>
    private const int LongestLine = 64;

    /// <summary>How many elements of a longer axis one thread reduces to one partial result.</summary>
    private const int ElementsPerPartial = 32;

    /// <inheritdoc/>
    public override void Reduce<TReduction>(TReduction reduction, Storage x, AxisLayout layout, Storage y)
    {
        Reduce(reduction, View(x), layout, View(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void ArgMax(Storage x, AxisLayout layout, float sign, Span<int> indices)
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

    /// <summary>How many partial results an axis is reduced to; 1 if one thread reduces it whole.</summary>
    private static int PartialsOf(int axis) =>
        axis <= LongestLine ? 1 : (axis + ElementsPerPartial - 1) / ElementsPerPartial;

    private void Reduce<TReduction>(TReduction reduction, ArrayView<float> x, AxisLayout layout, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int outputs = layout.Outer * layout.Inner;
        int partials = PartialsOf(layout.Axis);
        if (partials == 1)
        {
            queue.Launch(ReductionKernels.ReduceTerms<TReduction>, outputs, reduction, x, layout.Axis, layout.Inner, 1, y);
        }
        else if (outputs > 0)
        {
            using Scratch scratch = new(pool, outputs * partials);
            queue.Launch(
                ReductionKernels.ReduceTerms<TReduction>,
                outputs * partials,
                reduction,
                x,
                layout.Axis,
                layout.Inner,
                partials,
                scratch.Floats);
            ReducePartials(reduction, scratch.Floats, layout with { Axis = partials }, y);
        }
    }

    private void ReducePartials<TReduction>(
        TReduction reduction, ArrayView<float> x, AxisLayout layout, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int outputs = layout.Outer * layout.Inner;
        int partials = PartialsOf(layout.Axis);
        if (partials == 1)
        {
            queue.Launch(ReductionKernels.ReducePartials<TReduction>, outputs, reduction, x, layout.Axis, layout.Inner, 1, y);
            return;
        }

        using Scratch scratch = new(pool, outputs * partials);
        queue.Launch(
            ReductionKernels.ReducePartials<TReduction>,
            outputs * partials,
            reduction,
            x,
            layout.Axis,
            layout.Inner,
            partials,
            scratch.Floats);
        ReducePartials(reduction, scratch.Floats, layout with { Axis = partials }, y);
    }
}
