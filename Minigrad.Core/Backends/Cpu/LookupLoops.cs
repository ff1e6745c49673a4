using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Rows of a table by number: read, and added to. Rows that are read are shared among threads; where several rows are added
/// to one, threads share the columns instead, so that each sum has the order of the rows, whatever the number of threads.
/// </summary>
internal static class LookupLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many columns are one item of work.</summary>
    private const int StripLength = 128;

    /// <summary>How many rows before it is added a row is asked for: a processor's own foresight ends with the page.</summary>
    private const int RowsAhead = 8;

    /// <summary>y[r, :] = x[rows[r], :].</summary>
    public static void Gather(Workers workers, float[] x, RowNumbers rows, int width, float[] y) =>
        workers.For(rows.Count, width, new GatherBody(x, rows, width, y));

    /// <summary>y[rows[r], :] += x[r, :], from the first row to the last.</summary>
    public static void ScatterAdd(Workers workers, float[] x, RowNumbers rows, int width, float[] y)
    {
        int strips = (width + StripLength - 1) / StripLength;
        int work = (int)Math.Min(int.MaxValue, (long)rows.Count * Math.Min(width, StripLength));
        workers.For(strips, work, new ScatterBody(x, rows, width, y));
    }

    /// <summary>Adds some columns of all rows to the rows that they go to.</summary>
    [MethodImpl(Loop)]
    private static void Add<TLanes>(float[] x, ReadOnlySpan<int> targets, int width, int column, int columns, float[] y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint count = (nuint)TLanes.Count;
        nuint length = (nuint)columns;
        nuint ahead = (nuint)(RowsAhead * width);
        for (int row = 0; row < targets.Length; row++)
        {
            ref float term = ref x.AsSpan((row * width) + column, columns)[0];
            ref float sum = ref y.AsSpan((targets[row] * width) + column, columns)[0];
            nuint i = 0;
            for (; i + count <= length; i += count)
            {
                CacheLine.Fetch(in term, ahead + i);
                TLanes.Store(TLanes.Load(in sum, i) + TLanes.Load(in term, i), ref sum, i);
            }

            if (i < length)
            {
                Lanes.Write(Lanes.Read<TLanes>(in sum, i, length, 0f) + Lanes.Read<TLanes>(in term, i, length, 0f), ref sum, i, length);
            }
        }
    }

    private readonly struct GatherBody(float[] x, RowNumbers rows, int width, float[] y) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            if (width == 1)
            {
                y[row] = x[rows[row]]; // A call takes longer.
                return;
            }

            x.AsSpan(rows[row] * width, width).CopyTo(y.AsSpan(row * width, width));
        }
    }

    private readonly struct ScatterBody(float[] x, RowNumbers rows, int width, float[] y) : ILoopBody
    {
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripLength;
            Add<TLanes>(x, rows.Values, width, column, Math.Min(StripLength, width - column), y);
        }
    }
}
