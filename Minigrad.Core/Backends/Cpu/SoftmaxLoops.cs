using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Softmax of rows, shifted by the row's maximum so that nothing overflows, and its gradient. A row is walked for its largest
/// number, for the exponentials and their sum, and to scale what is by then in the nearest cache.
/// </summary>
/// <remarks>
/// The end that fills no vector has variables of its own, after the loop: a partial read or write takes a vector by reference,
/// which would keep it out of registers.
/// </remarks>
internal static class SoftmaxLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 4;

    /// <summary>softmax of each row, or its logarithm.</summary>
    public static void Forward(Workers workers, float[] x, int rows, int columns, bool logarithm, float[] y) =>
        Run(workers, new Body(x, x, rows, columns, logarithm, IsForward: true, y));

    /// <summary>The gradient of the input from output and gradient.</summary>
    public static void Backward(
        Workers workers, float[] y, float[] gradient, int rows, int columns, bool logarithm, float[] result) =>
        Run(workers, new Body(y, gradient, rows, columns, logarithm, IsForward: false, result));

    /// <summary>
    /// The row's largest value m and l = ln Σ e^(x − m): log softmax(x) is x − m − l, in this order, which loses nothing
    /// where m is large.
    /// </summary>
    public static (float Shift, float Logarithm) Normalizer<TLanes>(ref float x, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        float shift = ReductionLoops.ReduceRun<Largest, TLanes>(default, ref x, columns);
        float sum = Exponentials<TLanes>(ref x, shift, columns, isStored: false, ref x);
        return (shift, Scalar.Log(sum).Value);
    }

    private static void Run(Workers workers, Body body)
    {
        if (body.Columns > 0)
        {
            workers.For(body.Rows, WorkPerElement * body.Columns, body);
        }
    }

    private static void SoftmaxRow<TLanes>(ref float x, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        float shift = ReductionLoops.ReduceRun<Largest, TLanes>(default, ref x, columns);
        float sum = Exponentials<TLanes>(ref x, shift, columns, isStored: true, ref y);

        // The sum is at least 1, so its inverse is an ordinary number; dividing takes as long as the exponential function.
        Multiply<TLanes>(ref y, 1f / sum, columns, ref y);
    }

    private static void LogSoftmaxRow<TLanes>(ref float x, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        (float shift, float logarithm) = Normalizer<TLanes>(ref x, columns);
        Subtract<TLanes>(ref x, shift, logarithm, columns, ref y);
    }

    /// <summary>The sum of exp(x − shift), which y receives if it is to be stored: y may be x, which a logarithm needs again.</summary>
    [MethodImpl(Loop)]
    private static float Exponentials<TLanes>(ref float x, float shift, nuint columns, bool isStored, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes subtrahend = shift;
        TLanes sum = 0f;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes value = TLanes.Exp(TLanes.Load(in x, i) - subtrahend);
            sum += value;
            if (isStored)
            {
                TLanes.Store(value, ref y, i);
            }
        }

        if (whole == columns)
        {
            return TLanes.Sum(sum);
        }

        TLanes last = TLanes.Exp(Lanes.Read<TLanes>(in x, whole, columns, float.NegativeInfinity) - subtrahend);
        if (isStored)
        {
            Lanes.Write(last, ref y, whole, columns);
        }

        return TLanes.Sum(sum + last);
    }

    [MethodImpl(Loop)]
    private static void Multiply<TLanes>(ref float x, float factor, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes multiplier = factor;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in x, i) * multiplier, ref y, i);
        }

        if (whole < columns)
        {
            Lanes.Write(Lanes.Read<TLanes>(in x, whole, columns, 0f) * multiplier, ref y, whole, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void Subtract<TLanes>(ref float x, float shift, float logarithm, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes first = shift;
        TLanes second = logarithm;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in x, i) - first - second, ref y, i);
        }

        if (whole < columns)
        {
            Lanes.Write(Lanes.Read<TLanes>(in x, whole, columns, 0f) - first - second, ref y, whole, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void SoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes sum = 0f;
        for (nuint i = 0; i < whole; i += width)
        {
            sum += TLanes.Load(in y, i) * TLanes.Load(in gradient, i);
        }

        if (whole < columns)
        {
            sum += Lanes.Read<TLanes>(in y, whole, columns, 0f) * Lanes.Read<TLanes>(in gradient, whole, columns, 0f);
        }

        TLanes projection = TLanes.Sum(sum);
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in y, i) * (TLanes.Load(in gradient, i) - projection), ref result, i);
        }

        if (whole < columns)
        {
            TLanes centred = Lanes.Read<TLanes>(in gradient, whole, columns, 0f) - projection;
            Lanes.Write(Lanes.Read<TLanes>(in y, whole, columns, 0f) * centred, ref result, whole, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void LogSoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes total = ReductionLoops.ReduceRun<Sum, TLanes>(default, ref gradient, columns);
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes probability = TLanes.Exp(TLanes.Load(in y, i));
            TLanes.Store(TLanes.Load(in gradient, i) - (probability * total), ref result, i);
        }

        if (whole < columns)
        {
            TLanes probability = TLanes.Exp(Lanes.Read<TLanes>(in y, whole, columns, 0f));
            TLanes slope = Lanes.Read<TLanes>(in gradient, whole, columns, 0f) - (probability * total);
            Lanes.Write(slope, ref result, whole, columns);
        }
    }

    private readonly record struct Body(
        float[] X, float[] Gradient, int Rows, int Columns, bool Logarithm, bool IsForward, float[] Result) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = row * Columns;
            ref float x = ref X[start];
            ref float gradient = ref Gradient[start];
            ref float result = ref Result[start];
            nuint columns = (nuint)Columns;
            switch (IsForward, Logarithm)
            {
                case (true, false):
                    SoftmaxRow<TLanes>(ref x, columns, ref result);
                    break;
                case (true, true):
                    LogSoftmaxRow<TLanes>(ref x, columns, ref result);
                    break;
                case (false, false):
                    SoftmaxBackwardRow<TLanes>(ref x, ref gradient, columns, ref result);
                    break;
                case (false, true):
                    LogSoftmaxBackwardRow<TLanes>(ref x, ref gradient, columns, ref result);
                    break;
            }
        }
    }
}
