using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Reductions in a fixed order: elements are cut into blocks by the shape alone, each block is combined lane by lane,
/// and blocks are combined from first to last. So the error grows with the root of the work, not with the work, and the
/// bits do not depend on the number of threads.
/// </summary>
internal static class ReductionLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many elements of a contiguous run make one partial result.</summary>
    private const int RunBlock = 4096;

    /// <summary>How many rows make one partial result when rows are combined element by element.</summary>
    private const int RowBlock = 64;

    /// <summary>y[o, i] combines the terms of x[o, :, i].</summary>
    public static void Reduce<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float[] y)
        where TReduction : unmanaged, IReduction
    {
        if (layout.Outer == 0 || layout.Inner == 0)
        {
            return;
        }

        if (layout.Axis == 0)
        {
            y.AsSpan(0, layout.Outer * layout.Inner).Fill(reduction.Initial);
        }
        else if (layout.Inner == 1)
        {
            ReduceRuns(workers, reduction, x, layout, y);
        }
        else
        {
            ReduceRows(workers, reduction, x, layout, y);
        }
    }

    private static void ReduceRuns<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float[] y)
        where TReduction : unmanaged, IReduction
    {
        int blocksPerRun = (layout.Axis + RunBlock - 1) / RunBlock;
        if (blocksPerRun == 1)
        {
            workers.For(layout.Outer, layout.Axis, new RunBody<TReduction>(reduction, x, layout.Axis, y));
            return;
        }

        float[] partials = new float[blocksPerRun * layout.Outer];
        PartialRunBody<TReduction> body = new(reduction, x, layout.Axis, blocksPerRun, partials);
        workers.For(partials.Length, RunBlock, body);
        for (int outer = 0; outer < layout.Outer; outer++)
        {
            Scalar total = partials[outer * blocksPerRun];
            for (int block = 1; block < blocksPerRun; block++)
            {
                total = reduction.Combine<Scalar>(total, partials[(outer * blocksPerRun) + block]);
            }

            y[outer] = total.Value;
        }
    }

    private static void ReduceRows<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float[] y)
        where TReduction : unmanaged, IReduction
    {
        int blocksPerAxis = (layout.Axis + RowBlock - 1) / RowBlock;
        if (blocksPerAxis == 1)
        {
            workers.For(
                layout.Outer, layout.Axis * layout.Inner, new RowsBody<TReduction>(reduction, x, layout, 1, y));
            return;
        }

        float[] partials = new float[layout.Outer * blocksPerAxis * layout.Inner];
        RowsBody<TReduction> body = new(reduction, x, layout, blocksPerAxis, partials);
        workers.For(layout.Outer * blocksPerAxis, RowBlock * layout.Inner, body);
        AxisLayout partialLayout = layout with { Axis = blocksPerAxis };
        for (int outer = 0; outer < layout.Outer; outer++)
        {
            FoldRows(reduction, partials, partialLayout, outer, y);
        }
    }

    /// <summary>Combines partial rows, whose terms were taken already, from first to last.</summary>
    private static void FoldRows<TReduction>(
        TReduction reduction, float[] partials, AxisLayout layout, int outer, float[] y)
        where TReduction : unmanaged, IReduction
    {
        int inner = layout.Inner;
        Span<float> total = y.AsSpan(outer * inner, inner);
        partials.AsSpan(outer * layout.Axis * inner, inner).CopyTo(total);
        for (int block = 1; block < layout.Axis; block++)
        {
            ReadOnlySpan<float> partial = partials.AsSpan(((outer * layout.Axis) + block) * inner, inner);
            for (int i = 0; i < inner; i++)
            {
                total[i] = reduction.Combine<Scalar>(total[i], partial[i]).Value;
            }
        }
    }

    [MethodImpl(Loop)]
    private static float ReduceLanes<TReduction, TLanes>(TReduction reduction, ref float x, nuint length)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes even = reduction.Initial;
        TLanes odd = reduction.Initial;
        nuint i = 0;
        for (; i + (2 * width) <= length; i += 2 * width)
        {
            even = reduction.Combine(even, reduction.Term(TLanes.Load(in x, i)));
            odd = reduction.Combine(odd, reduction.Term(TLanes.Load(in x, i + width)));
        }

        for (; i < length; i += width)
        {
            // The padding is the reduction's initial value, whose term changes nothing.
            TLanes rest = Lanes.Read<TLanes>(in x, i, length, reduction.Initial);
            even = reduction.Combine(even, reduction.Term(rest));
        }

        Span<float> lanes = stackalloc float[TLanes.Count];
        TLanes.Store(reduction.Combine(even, odd), ref lanes[0], 0);
        for (int half = TLanes.Count / 2; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
            {
                lanes[lane] = reduction.Combine<Scalar>(lanes[lane], lanes[lane + half]).Value;
            }
        }

        return lanes[0];
    }

    /// <summary>y[i] = terms of x[0, i], x[1, i], … combined in that order, for rows one after another.</summary>
    [MethodImpl(Loop)]
    private static void ReduceRowLanes<TReduction, TLanes>(
        TReduction reduction, ref float x, nuint rows, nuint inner, ref float y)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint i = 0;
        for (; i + width <= inner; i += width)
        {
            TLanes total = reduction.Initial;
            for (nuint row = 0; row < rows; row++)
            {
                total = reduction.Combine(total, reduction.Term(TLanes.Load(in x, (row * inner) + i)));
            }

            TLanes.Store(total, ref y, i);
        }

        for (; i < inner; i++)
        {
            Scalar total = reduction.Initial;
            for (nuint row = 0; row < rows; row++)
            {
                total = reduction.Combine(total, reduction.Term<Scalar>(Unsafe.Add(ref x, (row * inner) + i)));
            }

            Unsafe.Add(ref y, i) = total.Value;
        }
    }

    private readonly struct RunBody<TReduction>(TReduction reduction, float[] x, int axis, float[] y) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public void Run<TLanes>(int run)
            where TLanes : struct, ILanes<TLanes> =>
            y[run] = ReduceLanes<TReduction, TLanes>(reduction, ref x[run * axis], (nuint)axis);
    }

    private readonly struct PartialRunBody<TReduction>(
        TReduction reduction, float[] x, int axis, int blocksPerRun, float[] partials) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block % blocksPerRun * RunBlock;
            int length = Math.Min(RunBlock, axis - start);
            int place = (block / blocksPerRun * axis) + start;
            partials[block] = ReduceLanes<TReduction, TLanes>(reduction, ref x[place], (nuint)length);
        }
    }

    private readonly struct RowsBody<TReduction>(
        TReduction reduction, float[] x, AxisLayout layout, int blocksPerAxis, float[] y) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int outer = block / blocksPerAxis;
            int start = block % blocksPerAxis * RowBlock;
            int rows = Math.Min(blocksPerAxis == 1 ? layout.Axis : RowBlock, layout.Axis - start);
            int place = ((outer * layout.Axis) + start) * layout.Inner;
            ReduceRowLanes<TReduction, TLanes>(
                reduction, ref x[place], (nuint)rows, (nuint)layout.Inner, ref y[block * layout.Inner]);
        }
    }
}
