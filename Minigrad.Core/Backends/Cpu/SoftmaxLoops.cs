using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Softmax of rows, shifted by the row's maximum so that nothing overflows, and its gradient. A row is walked for its largest
/// number, for the exponentials and their sum, and to scale what is by then in the nearest cache.
/// </summary>
/// <remarks>
/// The end that fills no vector is read into one and written back outside of the loop, which so stays free of branches. Rows
/// shorter than a vector are nothing else.
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
        LogProbabilities<TLanes>(ref x, new NormalizedRow(shift, logarithm), columns, ref y);
    }

    /// <summary>The sum of exp(x − shift), which y receives if it is to be stored: y may be x, which a logarithm needs again.</summary>
    [MethodImpl(Loop)]
    private static float Exponentials<TLanes>(ref float x, float shift, nuint columns, bool isStored, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes sum = 0f;
        if (whole < columns)
        {
            TLanes last = TLanes.Exp(Lanes.Read<TLanes>(in x, whole, columns, float.NegativeInfinity) - shift);
            if (isStored)
            {
                Lanes.Write(last, ref y, whole, columns);
            }

            sum = last;
        }

        TLanes subtrahend = shift;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes value = TLanes.Exp(TLanes.Load(in x, i) - subtrahend);
            sum += value;
            if (isStored)
            {
                TLanes.Store(value, ref y, i);
            }
        }

        return TLanes.Sum(sum);
    }

    [MethodImpl(Loop)]
    private static void Multiply<TLanes>(ref float x, float factor, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        if (whole < columns)
        {
            Lanes.Write(Lanes.Read<TLanes>(in x, whole, columns, 0f) * factor, ref y, whole, columns);
        }

        TLanes multiplier = factor;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in x, i) * multiplier, ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void LogProbabilities<TLanes>(ref float x, NormalizedRow row, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        if (whole < columns)
        {
            Lanes.Write(row.LogProbability(Lanes.Read<TLanes>(in x, whole, columns, 0f)), ref y, whole, columns);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(row.LogProbability(TLanes.Load(in x, i)), ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void SoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes lastGradient = 0f;
        TLanes last = 0f;
        if (whole < columns)
        {
            lastGradient = Lanes.Read<TLanes>(in gradient, whole, columns, 0f);
            last = Lanes.Read<TLanes>(in y, whole, columns, 0f);
        }

        TLanes even = last * lastGradient;
        TLanes odd = 0f;
        nuint i = 0;
        for (; i + (2 * width) <= whole; i += 2 * width)
        {
            even += TLanes.Load(in y, i) * TLanes.Load(in gradient, i);
            odd += TLanes.Load(in y, i + width) * TLanes.Load(in gradient, i + width);
        }

        if (i < whole)
        {
            even += TLanes.Load(in y, i) * TLanes.Load(in gradient, i);
        }

        TLanes projection = TLanes.Sum(even + odd);
        for (i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in y, i) * (TLanes.Load(in gradient, i) - projection), ref result, i);
        }

        if (whole < columns)
        {
            Lanes.Write(last * (lastGradient - projection), ref result, whole, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void LogSoftmaxBackwardRow<TLanes>(
        ref float y, ref float gradient, float total, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        if (whole < columns)
        {
            TLanes probability = TLanes.Exp(Lanes.Read<TLanes>(in y, whole, columns, 0f));
            TLanes slope = Lanes.Read<TLanes>(in gradient, whole, columns, 0f) - (probability * total);
            Lanes.Write(slope, ref result, whole, columns);
        }

        TLanes factor = total;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes probability = TLanes.Exp(TLanes.Load(in y, i));
            TLanes.Store(TLanes.Load(in gradient, i) - (probability * factor), ref result, i);
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
                    float total = ReductionLoops.ReduceRun<Sum, TLanes>(default, ref gradient, columns);
                    LogSoftmaxBackwardRow<TLanes>(ref x, ref gradient, total, columns, ref result);
                    break;
            }
        }
    }
}
