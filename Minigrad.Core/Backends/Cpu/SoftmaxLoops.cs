using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>Softmax of rows, shifted by the row's maximum so that nothing overflows, and its gradient.</summary>
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
        float shift = Largest<TLanes>(ref x, columns);
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
        float sum = Exponentials<TLanes>(ref x, Largest<TLanes>(ref x, columns), columns, isStored: true, ref y);

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
    private static float Exponentials<TLanes>(ref float x, float shift, nuint columns, bool isStored, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        // The end that fills no vector runs in a padded one through the same loop, so that the loop has all of the JIT's
        // inline budget for the exponential function.
        int rest = (int)(columns % (nuint)TLanes.Count);
        nuint whole = columns - (nuint)rest;
        TLanes sum = ExponentialLanes<TLanes>(ref x, shift, whole, isStored, ref y, 0f);
        if (rest > 0)
        {
            Span<float> padded = stackalloc float[TLanes.Count];
            padded.Fill(float.NegativeInfinity);
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref x, whole), rest).CopyTo(padded);
            sum = ExponentialLanes(ref padded[0], shift, (nuint)TLanes.Count, isStored, ref padded[0], sum);
            if (isStored)
            {
                padded[..rest].CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref y, whole), rest));
            }
        }

        return TLanes.Sum(sum);
    }

    [MethodImpl(Loop)]
    private static TLanes ExponentialLanes<TLanes>(
        ref float x, float shift, nuint length, bool isStored, ref float y, TLanes sum)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes subtrahend = shift;
        for (nuint i = 0; i < length; i += width)
        {
            TLanes value = TLanes.Exp(TLanes.Load(in x, i) - subtrahend);
            sum += value;
            if (isStored)
            {
                TLanes.Store(value, ref y, i);
            }
        }

        return sum;
    }

    // Below, the end that fills no vector has variables of its own: a partial read or write takes a vector by reference,
    // which would keep it out of registers, so none is inside a loop.
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

    private static void LogSoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        float total = Sum<TLanes>(ref gradient, columns);
        int rest = (int)(columns % (nuint)TLanes.Count);
        nuint whole = columns - (nuint)rest;
        LogSoftmaxBackwardLanes<TLanes>(ref y, ref gradient, total, whole, ref result);
        if (rest > 0)
        {
            Span<float> padded = stackalloc float[2 * TLanes.Count];
            padded.Clear();
            Span<float> last = padded[TLanes.Count..];
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref y, whole), rest).CopyTo(padded);
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref gradient, whole), rest).CopyTo(last);
            LogSoftmaxBackwardLanes<TLanes>(ref padded[0], ref last[0], total, (nuint)TLanes.Count, ref last[0]);
            last[..rest].CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref result, whole), rest));
        }
    }

    [MethodImpl(Loop)]
    private static void LogSoftmaxBackwardLanes<TLanes>(
        ref float y, ref float gradient, float total, nuint length, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes factor = total;
        for (nuint i = 0; i < length; i += width)
        {
            TLanes probability = TLanes.Exp(TLanes.Load(in y, i));
            TLanes.Store(TLanes.Load(in gradient, i) - (probability * factor), ref result, i);
        }
    }

    [MethodImpl(Loop)]
    private static float Sum<TLanes>(ref float x, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes sum = 0f;
        for (nuint i = 0; i < whole; i += width)
        {
            sum += TLanes.Load(in x, i);
        }

        if (whole < columns)
        {
            sum += Lanes.Read<TLanes>(in x, whole, columns, 0f);
        }

        return TLanes.Sum(sum);
    }

    /// <summary>
    /// The largest of a row. Four maxima at a time: a vector need not wait for the one before it. NaN is passed over, since
    /// the sum of the exponentials will be NaN in any case.
    /// </summary>
    [MethodImpl(Loop)]
    private static float Largest<TLanes>(ref float x, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes first = float.NegativeInfinity;
        TLanes second = first;
        TLanes third = first;
        TLanes fourth = first;
        nuint i = 0;
        for (; i + (4 * width) <= columns; i += 4 * width)
        {
            first = Larger(first, TLanes.Load(in x, i));
            second = Larger(second, TLanes.Load(in x, i + width));
            third = Larger(third, TLanes.Load(in x, i + (2 * width)));
            fourth = Larger(fourth, TLanes.Load(in x, i + (3 * width)));
        }

        for (; i < columns; i += width)
        {
            first = Larger(first, Lanes.Read<TLanes>(in x, i, columns, float.NegativeInfinity));
        }

        Span<float> lanes = stackalloc float[TLanes.Count];
        TLanes.Store(Larger(Larger(first, second), Larger(third, fourth)), ref lanes[0], 0);
        float result = lanes[0];
        foreach (float lane in lanes)
        {
            result = lane > result ? lane : result;
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Larger<TLanes>(TLanes largest, TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => TLanes.Less(largest, x, x, largest);

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
