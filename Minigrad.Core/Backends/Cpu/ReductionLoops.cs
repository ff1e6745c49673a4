using System.Buffers;
using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Reductions in a fixed order: elements are cut into blocks by the shape alone, each block is combined lane by lane,
/// and blocks are combined in pairs, or some at a time, until one is left. So the error grows with the size of a block and the logarithm of their
/// number, not with the work, and the bits do not depend on the number of threads.
/// </summary>
internal static class ReductionLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many elements of a contiguous run make one partial result.</summary>
    public const int RunBlock = 4096;

    /// <summary>How many rows make one partial result when rows are combined element by element.</summary>
    private const int RowBlock = 64;

    /// <summary>How many columns of such rows are one item of work.</summary>
    private const int StripLength = 1024;

    /// <summary>How many short rows are taken for one long row, whatever the width of vectors.</summary>
    private const int RowsTogether = 16;

    /// <summary>Rows shorter than this are taken together.</summary>
    private const int ShortRow = 32;

    /// <summary>The fewest of them for which it is worth a further pass.</summary>
    private const int ManyShortRows = 128;

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
        else if (layout.Inner > 1)
        {
            ReduceRows(workers, reduction, new Slices(x, 0, layout.Axis * layout.Inner), layout, new Slices(y, 0, layout.Inner));
        }
        else if (layout.Axis <= RowInEachLane.MostColumnsToRead)
        {
            ShortRunsBody<TReduction> body = new(reduction, x, layout.Outer, layout.Axis, y);
            workers.For(body.Items, layout.Axis * RowInEachLane.RowsOfItem, body);
        }
        else
        {
            ReduceRuns(workers, reduction, x, layout, y);
        }
    }

    /// <summary>How many blocks a run is cut into.</summary>
    public static int BlocksOf(int run) => (run + RunBlock - 1) / RunBlock;

    /// <summary>Reduces each block of each run.</summary>
    public static void ReduceBlocks<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float[] partials)
        where TReduction : unmanaged, IReduction
    {
        int blocks = BlocksOf(layout.Axis);
        workers.For(
            layout.Outer * blocks, Math.Min(RunBlock, layout.Axis), new BlockBody<TReduction>(reduction, x, layout.Axis, blocks, partials));
    }

    private static void ReduceRuns<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float[] y)
        where TReduction : unmanaged, IReduction
    {
        int blocks = BlocksOf(layout.Axis);
        if (blocks == 1)
        {
            ReduceBlocks(workers, reduction, x, layout, y);
            return;
        }

        float[] partials = ArrayPool<float>.Shared.Rent(blocks * layout.Outer);
        ReduceBlocks(workers, reduction, x, layout, partials);
        for (int outer = 0; outer < layout.Outer; outer++)
        {
            Span<float> ofRun = partials.AsSpan(outer * blocks, blocks);
            for (int distance = 1; distance < blocks; distance *= 2)
            {
                for (int block = 0; block + distance < blocks; block += 2 * distance)
                {
                    ofRun[block] = reduction.Combine<Scalar>(ofRun[block], ofRun[block + distance]).Value;
                }
            }

            y[outer] = ofRun[0];
        }

        ArrayPool<float>.Shared.Return(partials);
    }

    private static void ReduceRows<TReduction>(
        Workers workers, TReduction reduction, Slices x, AxisLayout layout, Slices y)
        where TReduction : unmanaged, IReduction
    {
        if (layout.Inner < ShortRow && layout.Axis >= ManyShortRows)
        {
            ReduceShortRows(workers, reduction, x, layout, y);
            return;
        }

        int blocks = (layout.Axis + RowBlock - 1) / RowBlock;
        if (blocks == 1)
        {
            ReduceBlocksOfRows(workers, reduction, x, layout, layout.Axis, y);
            return;
        }

        Slices partials = Slices.Rent(layout.Outer, blocks * layout.Inner);
        ReduceBlocksOfRows(workers, reduction, x, layout, RowBlock, partials);
        while (blocks > RowBlock)
        {
            AxisLayout rows = layout with { Axis = blocks };
            blocks = (blocks + RowBlock - 1) / RowBlock;
            Slices fewer = Slices.Rent(layout.Outer, blocks * layout.Inner);
            ReduceBlocksOfRows(workers, new OfPartials<TReduction>(reduction), partials, rows, RowBlock, fewer);
            partials.Return();
            partials = fewer;
        }

        ReduceBlocksOfRows(workers, new OfPartials<TReduction>(reduction), partials, layout with { Axis = blocks }, blocks, y);
        partials.Return();
    }

    /// <summary>
    /// Short rows fill vectors only in part, but some of them one after the other are a long row. So those are reduced to one long
    /// row, and its parts, with the rows that filled no long one, to a short row.
    /// </summary>
    private static void ReduceShortRows<TReduction>(
        Workers workers, TReduction reduction, Slices x, AxisLayout layout, Slices y)
        where TReduction : unmanaged, IReduction
    {
        int length = RowsTogether * layout.Inner;
        (int count, int rest) = Math.DivRem(layout.Axis, RowsTogether);
        AxisLayout parts = layout with { Axis = RowsTogether + rest };
        Slices partials = Slices.Rent(layout.Outer, parts.Axis * layout.Inner);
        ReduceRows(workers, reduction, x, new AxisLayout(layout.Outer, count, length), partials);
        if (rest > 0)
        {
            AxisLayout left = new(layout.Outer, 1, rest * layout.Inner);
            ReduceBlocksOfRows(workers, reduction, x.From(count * length), left, 1, partials.From(length));
        }

        ReduceBlocksOfRows(workers, new OfPartials<TReduction>(reduction), partials, parts, parts.Axis, y);
        partials.Return();
    }

    /// <summary>Reduces blocks of rows to a row each.</summary>
    private static void ReduceBlocksOfRows<TReduction>(
        Workers workers, TReduction reduction, Slices x, AxisLayout layout, int rows, Slices y)
        where TReduction : unmanaged, IReduction
    {
        RowsBody<TReduction> body = new(reduction, x, layout, rows, y);
        workers.For(layout.Outer * body.Blocks * body.Strips, body.WorkPerItem, body);
    }

    /// <summary>The terms of a run combined lane by lane, then the lanes.</summary>
    [MethodImpl(Loop)]
    public static float ReduceRun<TReduction, TLanes>(TReduction reduction, ref float x, nuint length)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
        Fold(reduction, ReduceLanes<TReduction, TLanes>(reduction, ref x, length));

    /// <summary>The terms of a run combined lane by lane: a part of another loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ReduceLanes<TReduction, TLanes>(TReduction reduction, ref float x, nuint length)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);

        // The padding is the reduction's initial value, whose term changes nothing.
        TLanes rest = whole < length ? Lanes.Read<TLanes>(in x, whole, length, reduction.Initial) : reduction.Initial;
        TLanes even = reduction.Initial;
        TLanes odd = reduction.Initial;
        nuint i = 0;
        for (; i + (2 * width) <= whole; i += 2 * width)
        {
            even = reduction.Combine(even, reduction.Term(TLanes.Load(in x, i)));
            odd = reduction.Combine(odd, reduction.Term(TLanes.Load(in x, i + width)));
        }

        if (i < whole)
        {
            even = reduction.Combine(even, reduction.Term(TLanes.Load(in x, i)));
        }

        even = reduction.Combine(even, reduction.Term(rest));
        return reduction.Combine(even, odd);
    }

    /// <summary>The lanes combined, in halves: each lane of the first half with its counterpart in the second, and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fold<TReduction, TLanes>(TReduction reduction, TLanes lanes)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        for (int half = TLanes.Count / 2; half > 0; half /= 2)
        {
            lanes = reduction.Combine(lanes, TLanes.Exchange(lanes, half));
        }

        return TLanes.First(lanes);
    }

    /// <summary>y[i] = terms of x[0, i], x[1, i], … combined in that order, for some columns of rows one after another.</summary>
    [MethodImpl(Loop)]
    private static void ReduceRowLanes<TReduction, TLanes>(
        TReduction reduction, ref float x, nuint rows, nuint inner, nuint columns, ref float y)
        where TReduction : unmanaged, IReduction
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint i = 0;
        while (i < columns && columns >= 4 * width)
        {
            // What is left of the columns is walked with some before it, whose results are the same again.
            i = Math.Min(i, columns - (4 * width));
            TLanes first = reduction.Initial;
            TLanes second = first;
            TLanes third = first;
            TLanes fourth = first;
            for (nuint place = i; place < i + (rows * inner); place += inner)
            {
                first = reduction.Combine(first, reduction.Term(TLanes.Load(in x, place)));
                second = reduction.Combine(second, reduction.Term(TLanes.Load(in x, place + width)));
                third = reduction.Combine(third, reduction.Term(TLanes.Load(in x, place + (2 * width))));
                fourth = reduction.Combine(fourth, reduction.Term(TLanes.Load(in x, place + (3 * width))));
            }

            TLanes.Store(first, ref y, i);
            TLanes.Store(second, ref y, i + width);
            TLanes.Store(third, ref y, i + (2 * width));
            TLanes.Store(fourth, ref y, i + (3 * width));
            i += 4 * width;
        }

        for (; i < columns; i += width)
        {
            TLanes total = reduction.Initial;
            for (nuint row = 0; row < rows; row++)
            {
                nuint place = (row * inner) + i;
                total = reduction.Combine(total, reduction.Term(Lanes.Read<TLanes>(in x, place, (row * inner) + columns, 0f)));
            }

            Lanes.Write(total, ref y, i, columns);
        }
    }

    /// <summary>Numbers in equal slices, one for each place before the axis: where the first begins, and how far it is to the next.</summary>
    private readonly record struct Slices(float[] Numbers, int Start, int Step)
    {
        public static Slices Rent(int count, int length) => new(ArrayPool<float>.Shared.Rent(count * length), 0, length);

        public void Return() => ArrayPool<float>.Shared.Return(Numbers);

        public Slices From(int place) => this with { Start = Start + place };

        public ref float At(int slice, int place) => ref Numbers[Start + (slice * Step) + place];
    }

    /// <summary>A block of a run.</summary>
    private readonly struct BlockBody<TReduction>(TReduction reduction, float[] x, int axis, int blocks, float[] partials) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = block % blocks * RunBlock;
            int length = Math.Min(RunBlock, axis - start);
            int place = (block / blocks * axis) + start;
            partials[block] = ReduceRun<TReduction, TLanes>(reduction, ref x[place], (nuint)length);
        }
    }

    /// <summary>Some short runs, side by side.</summary>
    private readonly struct ShortRunsBody<TReduction>(TReduction reduction, float[] x, int runs, int axis, float[] y) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public int Items => (runs + RowInEachLane.RowsOfItem - 1) / RowInEachLane.RowsOfItem;

        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> room = stackalloc float[RowInEachLane.RoomLength];
            int end = Math.Min(runs, (item + 1) * RowInEachLane.RowsOfItem);
            for (int run = item * RowInEachLane.RowsOfItem, count; run < end; run += count)
            {
                count = Math.Min(TLanes.Count, end - run);
                ref float first = ref RowInEachLane.Read<TLanes>(x, run, count, axis, room);
                ReduceRowLanes<TReduction, TLanes>(reduction, ref first, (nuint)axis, (nuint)TLanes.Count, (nuint)count, ref y[run]);
            }
        }
    }

    /// <summary>A strip of the columns of a block of rows.</summary>
    private readonly struct RowsBody<TReduction>(TReduction reduction, Slices x, AxisLayout layout, int rowsPerBlock, Slices y)
        : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public int Blocks => (layout.Axis + rowsPerBlock - 1) / rowsPerBlock;

        public int Strips => (layout.Inner + StripLength - 1) / StripLength;

        public int WorkPerItem => (int)Math.Min(int.MaxValue, (long)rowsPerBlock * Math.Min(layout.Inner, StripLength));

        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = item % Strips * StripLength;
            (int slice, int block) = Math.DivRem(item / Strips, Blocks);
            int row = block * rowsPerBlock;
            ReduceRowLanes<TReduction, TLanes>(
                reduction,
                ref x.At(slice, (row * layout.Inner) + column),
                (nuint)Math.Min(rowsPerBlock, layout.Axis - row),
                (nuint)layout.Inner,
                (nuint)Math.Min(StripLength, layout.Inner - column),
                ref y.At(slice, (block * layout.Inner) + column));
        }
    }

    /// <summary>Combines partial results, whose terms were taken already.</summary>
    private readonly struct OfPartials<TReduction>(TReduction reduction) : IReduction
        where TReduction : unmanaged, IReduction
    {
        public float Initial => reduction.Initial;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Term<T>(T x)
            where T : struct, IReal<T> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Combine<T>(T a, T b)
            where T : struct, IReal<T> => reduction.Combine(a, b);
    }
}
