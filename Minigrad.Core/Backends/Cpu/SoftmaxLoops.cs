using System.Runtime.CompilerServices;
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
    [MethodImpl(Loop)]
    public static (float Shift, float Logarithm) Normalizer<TLanes>(ref float x, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        float shift = Largest<TLanes>(ref x, columns);
        nuint width = (nuint)TLanes.Count;
        TLanes sum = 0f;
        for (nuint i = 0; i < columns; i += width)
        {
            sum += TLanes.Exp(Lanes.Read<TLanes>(in x, i, columns, float.NegativeInfinity) - shift);
        }

        return (shift, Scalar.Log(TLanes.Sum(sum)).Value);
    }

    private static void Run(Workers workers, Body body)
    {
        if (body.Columns > 0)
        {
            workers.For(body.Rows, WorkPerElement * body.Columns, body);
        }
    }

    [MethodImpl(Loop)]
    private static void SoftmaxRow<TLanes>(ref float x, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        float shift = Largest<TLanes>(ref x, columns);
        nuint width = (nuint)TLanes.Count;
        TLanes sum = 0f;
        for (nuint i = 0; i < columns; i += width)
        {
            TLanes value = TLanes.Exp(Lanes.Read<TLanes>(in x, i, columns, float.NegativeInfinity) - shift);
            sum += value;
            Lanes.Write(value, ref y, i, columns);
        }

        TLanes total = TLanes.Sum(sum);
        for (nuint i = 0; i < columns; i += width)
        {
            Lanes.Write(Lanes.Read<TLanes>(in y, i, columns, 0f) / total, ref y, i, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void LogSoftmaxRow<TLanes>(ref float x, nuint columns, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        (float shift, float logarithm) = Normalizer<TLanes>(ref x, columns);
        nuint width = (nuint)TLanes.Count;
        for (nuint i = 0; i < columns; i += width)
        {
            Lanes.Write(Lanes.Read<TLanes>(in x, i, columns, 0f) - shift - logarithm, ref y, i, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void SoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes sum = 0f;
        for (nuint i = 0; i < columns; i += width)
        {
            sum += Lanes.Read<TLanes>(in y, i, columns, 0f) * Lanes.Read<TLanes>(in gradient, i, columns, 0f);
        }

        TLanes projection = TLanes.Sum(sum);
        for (nuint i = 0; i < columns; i += width)
        {
            TLanes centred = Lanes.Read<TLanes>(in gradient, i, columns, 0f) - projection;
            Lanes.Write(Lanes.Read<TLanes>(in y, i, columns, 0f) * centred, ref result, i, columns);
        }
    }

    [MethodImpl(Loop)]
    private static void LogSoftmaxBackwardRow<TLanes>(ref float y, ref float gradient, nuint columns, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes sum = 0f;
        for (nuint i = 0; i < columns; i += width)
        {
            sum += Lanes.Read<TLanes>(in gradient, i, columns, 0f);
        }

        TLanes total = TLanes.Sum(sum);
        for (nuint i = 0; i < columns; i += width)
        {
            TLanes probability = TLanes.Exp(Lanes.Read<TLanes>(in y, i, columns, 0f));
            Lanes.Write(Lanes.Read<TLanes>(in gradient, i, columns, 0f) - (probability * total), ref result, i, columns);
        }
    }

    [MethodImpl(Loop)]
    private static float Largest<TLanes>(ref float x, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes largest = float.NegativeInfinity;
        for (nuint i = 0; i < columns; i += width)
        {
            largest = TLanes.Max(largest, Lanes.Read<TLanes>(in x, i, columns, float.NegativeInfinity));
        }

        Span<float> lanes = stackalloc float[TLanes.Count];
        TLanes.Store(largest, ref lanes[0], 0);
        float result = lanes[0];
        foreach (float lane in lanes)
        {
            result = MathF.Max(result, lane);
        }

        return result;
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
