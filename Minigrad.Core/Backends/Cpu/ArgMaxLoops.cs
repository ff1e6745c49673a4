using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Where the largest number is, in runs and in columns. A run is cut into blocks, and what is sought of each is its largest number,
/// a reduction like any other; only in the first block that has the largest of all is it looked for, so memory is read once.
/// Columns lie a row apart: neighbouring ones are walked together, one in each lane, with the row of the largest number so far in
/// a second vector; blocks are so few rows that a float32 holds their number. Short runs are transposed into such columns.
/// </summary>
/// <remarks>The first of equal numbers counts, and NaN as larger than any number, in a lane, among lanes, and among blocks.</remarks>
internal static class ArgMaxLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many rows are one block when columns are walked.</summary>
    private const int RowBlock = 1024;

    /// <summary>How many columns are one item of work.</summary>
    private const int StripLength = 256;

    /// <summary>The place of the largest sign · x[o, :, i] along the axis.</summary>
    public static void Find(Workers workers, float[] x, AxisLayout layout, float sign, int[] places)
    {
        if (layout.Outer * layout.Inner == 0)
        {
            return;
        }

        if (layout.Inner > 1)
        {
            FindInColumns(workers, x, layout, sign, places);
        }
        else if (layout.Axis <= RowInEachLane.MostColumnsToRead)
        {
            ShortRunsBody body = new(x, layout.Outer, layout.Axis, sign, places);
            workers.For(body.Items, layout.Axis * RowInEachLane.RowsOfItem, body);
        }
        else if (sign > 0)
        {
            FindInRuns(workers, default(Largest), x, layout, sign, places);
        }
        else
        {
            FindInRuns(workers, default(Smallest), x, layout, sign, places);
        }
    }

    /// <summary>Whether a number that comes later takes the place of the largest one so far.</summary>
    private static bool IsLarger(float later, float largest) => !float.IsNaN(largest) && !(later <= largest);

    private static void FindInRuns<TReduction>(
        Workers workers, TReduction reduction, float[] x, AxisLayout layout, float sign, int[] places)
        where TReduction : unmanaged, IReduction
    {
        int blocks = ReductionLoops.BlocksOf(layout.Axis);
        float[]? largest = null;
        if (blocks > 1)
        {
            largest = new float[layout.Outer * blocks];
            ReductionLoops.ReduceBlocks(workers, reduction, x, layout, largest);
        }

        RunBody<TReduction> body = new(reduction, x, layout.Axis, sign, largest, blocks, places);
        workers.For(layout.Outer, Math.Min(2 * layout.Axis, ReductionLoops.RunBlock), body);
    }

    private static void FindInColumns(Workers workers, float[] x, AxisLayout layout, float sign, int[] places)
    {
        int blocks = (layout.Axis + RowBlock - 1) / RowBlock;
        int[] ofBlocks = blocks == 1 ? places : new int[blocks * places.Length];
        float[]? largestOfBlocks = blocks == 1 ? null : new float[ofBlocks.Length];
        ColumnsBody body = new(x, layout, sign, blocks, ofBlocks, largestOfBlocks);
        workers.For(layout.Outer * blocks * body.Strips, body.WorkPerItem, body);
        if (largestOfBlocks is null)
        {
            return;
        }

        for (int outer = 0; outer < layout.Outer; outer++)
        {
            int first = outer * blocks * layout.Inner;
            Span<int> chosen = places.AsSpan(outer * layout.Inner, layout.Inner);
            Span<float> largest = largestOfBlocks.AsSpan(first, layout.Inner);
            ofBlocks.AsSpan(first, layout.Inner).CopyTo(chosen);
            for (int block = 1; block < blocks; block++)
            {
                ReadOnlySpan<float> values = largestOfBlocks.AsSpan(first + (block * layout.Inner), layout.Inner);
                for (int i = 0; i < layout.Inner; i++)
                {
                    if (IsLarger(values[i], largest[i]))
                    {
                        largest[i] = values[i];
                        chosen[i] = ofBlocks[first + (block * layout.Inner) + i];
                    }
                }
            }
        }
    }

    /// <summary>The first place of a run that has a number, or a NaN.</summary>
    [MethodImpl(Loop)]
    private static int PlaceOf<TLanes>(float number, ref float x, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes sought = number;
        nuint i = 0;
        for (; i + width <= length; i += width)
        {
            int lane = TLanes.FirstEqual(TLanes.Load(in x, i), sought);
            if (lane < TLanes.Count)
            {
                return (int)i + lane;
            }
        }

        // It is among those that fill no vector. The padding comes after them.
        return (int)i + TLanes.FirstEqual(Lanes.Read<TLanes>(in x, i, length, 0f), sought);
    }

    /// <summary>The largest of some rows of columns and its row, for each of them.</summary>
    [MethodImpl(Loop)]
    private static void LargestDown<TLanes>(
        ref float x, nuint step, nuint rows, float sign, nuint columns, ref float largest, ref float places)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes factor = sign;
        for (nuint i = 0; i < columns; i += (nuint)TLanes.Count)
        {
            TLanes best = Lanes.Read<TLanes>(in x, i, columns, 0f) * factor;
            TLanes place = 0f;
            TLanes number = 0f;
            for (nuint row = 1; row < rows; row++)
            {
                TLanes value = Lanes.Read<TLanes>(in x, (row * step) + i, (row * step) + columns, 0f) * factor;
                number += 1f;
                TLanes ofLarger = TLanes.IfNaN(value, number, TLanes.Less(best, value, number, place));
                place = TLanes.IfNaN(best, place, ofLarger);
                best = TLanes.Max(best, value);
            }

            Lanes.Write(best, ref largest, i, columns);
            Lanes.Write(place, ref places, i, columns);
        }
    }

    /// <summary>One run, of which the largest number of each block is known, or which is a block itself.</summary>
    private readonly struct RunBody<TReduction>(
        TReduction reduction, float[] x, int axis, float sign, float[]? largest, int blocks, int[] found) : ILoopBody
        where TReduction : unmanaged, IReduction
    {
        public void Run<TLanes>(int run)
            where TLanes : struct, ILanes<TLanes>
        {
            int best = 0;
            float number;
            if (largest is null)
            {
                number = ReductionLoops.ReduceRun<TReduction, TLanes>(reduction, ref x[run * axis], (nuint)axis);
            }
            else
            {
                ReadOnlySpan<float> ofBlocks = largest.AsSpan(run * blocks, blocks);
                for (int block = 1; block < blocks; block++)
                {
                    best = IsLarger(sign * ofBlocks[block], sign * ofBlocks[best]) ? block : best;
                }

                number = ofBlocks[best];
            }

            int start = best * ReductionLoops.RunBlock;
            int length = Math.Min(ReductionLoops.RunBlock, axis - start);
            found[run] = start + PlaceOf<TLanes>(number, ref x[(run * axis) + start], (nuint)length);
        }
    }

    /// <summary>Some short runs, side by side as columns.</summary>
    private readonly struct ShortRunsBody(float[] x, int runs, int axis, float sign, int[] places) : ILoopBody
    {
        public int Items => (runs + RowInEachLane.RowsOfItem - 1) / RowInEachLane.RowsOfItem;

        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> room = stackalloc float[RowInEachLane.RoomLength];
            Span<float> largest = stackalloc float[RowInEachLane.RowsOfItem];
            Span<float> found = stackalloc float[RowInEachLane.RowsOfItem];
            int end = Math.Min(runs, (item + 1) * RowInEachLane.RowsOfItem);
            for (int run = item * RowInEachLane.RowsOfItem, count; run < end; run += count)
            {
                count = Math.Min(TLanes.Count, end - run);
                ref float first = ref RowInEachLane.Read<TLanes>(x, run, count, axis, room);
                LargestDown<TLanes>(ref first, (nuint)TLanes.Count, (nuint)axis, sign, (nuint)count, ref largest[0], ref found[0]);
                for (int i = 0; i < count; i++)
                {
                    places[run + i] = (int)found[i];
                }
            }
        }
    }

    /// <summary>A strip of the columns of a block of rows: the places of their largest numbers, and these numbers if there are more blocks to compare.</summary>
    private readonly struct ColumnsBody(float[] x, AxisLayout layout, float sign, int blocks, int[] places, float[]? largest) : ILoopBody
    {
        public int Strips => (layout.Inner + StripLength - 1) / StripLength;

        public int WorkPerItem => Math.Min(layout.Axis, RowBlock) * Math.Min(layout.Inner, StripLength);

        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = item % Strips * StripLength;
            int block = item / Strips;
            int row = block % blocks * RowBlock;
            int columns = Math.Min(StripLength, layout.Inner - column);
            int target = (block * layout.Inner) + column;
            Span<float> rows = stackalloc float[StripLength];
            Span<float> unused = stackalloc float[StripLength];
            LargestDown<TLanes>(
                ref x[(((block / blocks * layout.Axis) + row) * layout.Inner) + column],
                (nuint)layout.Inner,
                (nuint)Math.Min(RowBlock, layout.Axis - row),
                sign,
                (nuint)columns,
                ref largest is null ? ref unused[0] : ref largest[target],
                ref rows[0]);
            for (int i = 0; i < columns; i++)
            {
                places[target + i] = row + (int)rows[i];
            }
        }
    }
}
