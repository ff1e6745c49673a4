using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Running sums, each from the first element to the last, one term after the other. Runs are shared among threads, and the sum so far stays
/// in registers. Columns lie a row apart: neighbouring ones are walked together, one in each lane, and four
/// vectors of them, so that an addition need not wait for the one before.
/// </summary>
internal static class CumulativeSumLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many columns are one item of work.</summary>
    private const int StripLength = 64;

    /// <summary>y[o, a, i] = x[o, 0, i] + … + x[o, a, i], or from the end.</summary>
    public static void Run(Workers workers, float[] x, AxisLayout layout, bool reverse, float[] y)
    {
        if (layout.Length > 0)
        {
            Body body = new(x, layout, reverse, y);
            workers.For(layout.Outer * body.Strips, body.WorkPerItem, body);
        }
    }

    /// <summary>Sums numbers a step apart. A step back is a large number: places wrap around.</summary>
    [MethodImpl(Loop)]
    private static void SumRun(ref float x, ref float y, nuint place, nuint step, int length)
    {
        RunningSum<Scalar> sum = default;
        for (int count = 1; count <= length; count++, place += step)
        {
            sum.Add(Unsafe.Add(ref x, place), count);
            Unsafe.Add(ref y, place) = sum.Value.Value;
        }
    }

    /// <summary>Sums neighbouring columns, from a row's first place on; rows are a step apart, perhaps backwards, as above.</summary>
    [MethodImpl(Loop)]
    private static void SumColumns<TLanes>(ref float x, ref float y, nuint first, nuint step, int rows, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint end = first + columns;
        for (; first + (4 * width) <= end; first += 4 * width)
        {
            RunningSum<TLanes> sum0 = default;
            RunningSum<TLanes> sum1 = default;
            RunningSum<TLanes> sum2 = default;
            RunningSum<TLanes> sum3 = default;
            nuint place = first;
            for (int count = 1; count <= rows; count++, place += step)
            {
                sum0.Add(TLanes.Load(in x, place), count);
                sum1.Add(TLanes.Load(in x, place + width), count);
                sum2.Add(TLanes.Load(in x, place + (2 * width)), count);
                sum3.Add(TLanes.Load(in x, place + (3 * width)), count);
                TLanes.Store(sum0.Value, ref y, place);
                TLanes.Store(sum1.Value, ref y, place + width);
                TLanes.Store(sum2.Value, ref y, place + (2 * width));
                TLanes.Store(sum3.Value, ref y, place + (3 * width));
            }
        }

        for (; first < end; first += width)
        {
            RunningSum<TLanes> sum = default;
            nuint place = first;
            nuint limit = end;
            for (int count = 1; count <= rows; count++, place += step, limit += step)
            {
                sum.Add(Lanes.Read<TLanes>(in x, place, limit, 0f), count);
                Lanes.Write(sum.Value, ref y, place, limit);
            }
        }
    }

    /// <summary>A run, or a strip of columns.</summary>
    private readonly struct Body(float[] x, AxisLayout layout, bool reverse, float[] y) : ILoopBody
    {
        public int Strips => (layout.Inner + StripLength - 1) / StripLength;

        public int WorkPerItem => (int)Math.Min(int.MaxValue, (long)layout.Axis * Math.Min(layout.Inner, StripLength));

        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            (int outer, int strip) = Math.DivRem(item, Strips);
            int column = strip * StripLength;
            nuint start = (nuint)((((outer * layout.Axis) + (reverse ? layout.Axis - 1 : 0)) * layout.Inner) + column);
            nuint step = (nuint)(reverse ? -layout.Inner : layout.Inner);
            if (layout.Inner == 1)
            {
                SumRun(ref x[0], ref y[0], start, step, layout.Axis);
            }
            else
            {
                SumColumns<TLanes>(ref x[0], ref y[0], start, step, layout.Axis, (nuint)Math.Min(StripLength, layout.Inner - column));
            }
        }
    }
}
