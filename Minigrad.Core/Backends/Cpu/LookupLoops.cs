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
    private const int StripLength = 256;

    /// <summary>y[r, :] = x[rows[r], :].</summary>
    public static void Gather(Workers workers, float[] x, RowNumbers rows, int width, float[] y) =>
        workers.For(rows.Count, width, new GatherBody(x, rows, width, y));

    /// <summary>y[rows[r], :] += x[r, :], from the first row to the last.</summary>
    public static void ScatterAdd(Workers workers, float[] x, RowNumbers rows, int width, float[] y)
    {
        int strips = (width + StripLength - 1) / StripLength;
        workers.For(strips, rows.Count * Math.Min(width, StripLength), new ScatterBody(x, rows, width, y));
    }

    [MethodImpl(Loop)]
    private static void Add<TLanes>(ref float x, ref float y, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint count = (nuint)TLanes.Count;
        nuint i = 0;
        for (; i + count <= length; i += count)
        {
            TLanes.Store(TLanes.Load(in y, i) + TLanes.Load(in x, i), ref y, i);
        }

        if (i < length)
        {
            Lanes.Write(Lanes.Read<TLanes>(in y, i, length, 0f) + Lanes.Read<TLanes>(in x, i, length, 0f), ref y, i, length);
        }
    }

    private readonly struct GatherBody(float[] x, RowNumbers rows, int width, float[] y) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes> =>
            x.AsSpan(rows[row] * width, width).CopyTo(y.AsSpan(row * width, width));
    }

    private readonly struct ScatterBody(float[] x, RowNumbers rows, int width, float[] y) : ILoopBody
    {
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripLength;
            nuint length = (nuint)Math.Min(StripLength, width - column);
            ReadOnlySpan<int> targets = rows.Values;
            for (int row = 0; row < targets.Length; row++)
            {
                Add<TLanes>(ref x[(row * width) + column], ref y[(targets[row] * width) + column], length);
            }
        }
    }
}
