using System.Buffers;
using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Softmax along an axis, shifted by the largest number so that nothing overflows, and its gradient. A row is walked for its largest
/// number, for the exponentials and their sum, and to scale what is by then in the nearest cache.
/// </summary>
/// <remarks>
/// The end that fills no vector is read into one and written back outside of the loop, which so stays free of branches. Short rows,
/// which would be little else, are walked with <see cref="RowInEachLane"/>. Columns are copied, some neighbours together, and walked as
/// the rows that they are then, so that they have the same bits.
/// </remarks>
internal static class SoftmaxLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 4;

    /// <summary>softmax along an axis, or its logarithm.</summary>
    public static void Forward(Workers workers, float[] x, AxisLayout layout, bool logarithm, float[] y) =>
        Run(workers, new Operands(x, x, layout, logarithm, IsForward: true, y));

    /// <summary>The gradient of the input from output and gradient.</summary>
    public static void Backward(Workers workers, float[] y, float[] gradient, AxisLayout layout, bool logarithm, float[] result) =>
        Run(workers, new Operands(y, gradient, layout, logarithm, IsForward: false, result));

    /// <summary>
    /// The largest value m of each row and l = ln Σ e^(x − m): log softmax(x) is x − m − l, in this order, which loses nothing
    /// where m is large.
    /// </summary>
    [MethodImpl(Loop)]
    public static void Normalize<TLanes, TRow>(ref float x, nuint length, Span<float> shifts, Span<float> logarithms)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        TLanes shift = TRow.Largest(ReductionLoops.ReduceLanes<Largest, TLanes>(default, ref x, length));
        TLanes sum = TRow.Sum(Exponentials(ref x, shift, length, isStored: false, ref x));
        TRow.ToRows(shift, shifts);
        TRow.ToRows(TRow.Log(sum), logarithms);
    }

    private static void Run(Workers workers, in Operands operands)
    {
        if (operands.Layout.Length == 0)
        {
            return;
        }

        if (operands.Layout.Axis > RowInEachLane.MostColumns)
        {
            Run<LanesAlongRow>(workers, operands);
        }
        else
        {
            Run<RowInEachLane>(workers, operands);
        }
    }

    private static void Run<TRow>(Workers workers, in Operands operands)
        where TRow : struct, IRowLanes
    {
        (int outer, int axis, int inner) = operands.Layout;
        if (inner == 1)
        {
            workers.For((outer + TRow.RowsOfItem - 1) / TRow.RowsOfItem, WorkPerElement * TRow.RowsOfItem * axis, new RowsBody<TRow>(operands));
            return;
        }

        ColumnsBody<TRow> body = new(operands);
        workers.For(outer * body.Strips, (int)Math.Min(int.MaxValue, (long)WorkPerElement * Math.Min(inner, ColumnsBody<TRow>.StripWidth) * axis), body);
    }

    /// <summary>Some rows, as they are walked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Compute<TLanes, TRow>(in Operands operands, int rows, nuint length, ref float x, ref float gradient, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        switch (operands.IsForward, operands.Logarithm)
        {
            case (true, false):
                Softmax<TLanes, TRow>(ref x, length, ref result);
                break;
            case (true, true):
                LogSoftmax<TLanes, TRow>(rows, ref x, length, ref result);
                break;
            case (false, false):
                SoftmaxBackward<TLanes, TRow>(ref x, ref gradient, length, ref result);
                break;
            case (false, true):
                LogSoftmaxBackward<TLanes, TRow>(ref x, ref gradient, length, ref result);
                break;
        }
    }

    [MethodImpl(Loop)]
    private static void Softmax<TLanes, TRow>(ref float x, nuint length, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        TLanes shift = TRow.Largest(ReductionLoops.ReduceLanes<Largest, TLanes>(default, ref x, length));
        TLanes sum = TRow.Sum(Exponentials(ref x, shift, length, isStored: true, ref y));

        // The sum is at least 1, so its inverse is an ordinary number; dividing takes as long as the exponential function.
        Multiply(ref y, 1f / sum, length);
    }

    [SkipLocalsInit]
    private static void LogSoftmax<TLanes, TRow>(int rows, ref float x, nuint length, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        Span<float> shifts = stackalloc float[TRow.RowsOfItem];
        Span<float> logarithms = stackalloc float[TRow.RowsOfItem];
        Normalize<TLanes, TRow>(ref x, length, shifts[..rows], logarithms[..rows]);
        LogProbabilities<TLanes, TRow>(ref x, length, shifts[..rows], logarithms[..rows], ref y);
    }

    [MethodImpl(Loop)]
    private static void SoftmaxBackward<TLanes, TRow>(ref float y, ref float gradient, nuint length, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes =>
        Slopes(ref y, ref gradient, TRow.Sum(Projections<TLanes>(ref y, ref gradient, length)), length, ref result);

    [MethodImpl(Loop)]
    private static void LogSoftmaxBackward<TLanes, TRow>(ref float y, ref float gradient, nuint length, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        TLanes total = TRow.Sum(ReductionLoops.ReduceLanes<Sum, TLanes>(default, ref gradient, length));
        LogSlopes(ref y, ref gradient, total, length, ref result);
    }

    /// <summary>
    /// The sums of exp(x − shift) in each lane. y receives the exponentials if they are to be stored: y may be x, which a logarithm needs again.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Exponentials<TLanes>(ref float x, TLanes shift, nuint length, bool isStored, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        TLanes sum = 0f;
        if (whole < length)
        {
            TLanes last = TLanes.Exp(Lanes.Read<TLanes>(in x, whole, length, float.NegativeInfinity) - shift);
            if (isStored)
            {
                Lanes.Write(last, ref y, whole, length);
            }

            sum = last;
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes value = TLanes.Exp(TLanes.Load(in x, i) - shift);
            sum += value;
            if (isStored)
            {
                TLanes.Store(value, ref y, i);
            }
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply<TLanes>(ref float y, TLanes factor, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        if (whole < length)
        {
            Lanes.Write(Lanes.Read<TLanes>(in y, whole, length, 0f) * factor, ref y, whole, length);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in y, i) * factor, ref y, i);
        }
    }

    [MethodImpl(Loop)]
    private static void LogProbabilities<TLanes, TRow>(
        ref float x, nuint length, ReadOnlySpan<float> shifts, ReadOnlySpan<float> logarithms, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        NormalizedRow<TLanes> row = new(TRow.FromRows<TLanes>(shifts), TRow.FromRows<TLanes>(logarithms));
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        if (whole < length)
        {
            Lanes.Write(row.LogProbability(Lanes.Read<TLanes>(in x, whole, length, 0f)), ref y, whole, length);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(row.LogProbability(TLanes.Load(in x, i)), ref y, i);
        }
    }

    /// <summary>The sums of y · g in each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Projections<TLanes>(ref float y, ref float gradient, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        TLanes even = 0f;
        TLanes odd = 0f;
        if (whole < length)
        {
            even = Lanes.Read<TLanes>(in y, whole, length, 0f) * Lanes.Read<TLanes>(in gradient, whole, length, 0f);
        }

        nuint i = 0;
        for (; i + (2 * width) <= whole; i += 2 * width)
        {
            even += TLanes.Load(in y, i) * TLanes.Load(in gradient, i);
            odd += TLanes.Load(in y, i + width) * TLanes.Load(in gradient, i + width);
        }

        return i < whole ? even + (TLanes.Load(in y, i) * TLanes.Load(in gradient, i)) + odd : even + odd;
    }

    /// <summary>y · (g − projection).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slopes<TLanes>(ref float y, ref float gradient, TLanes projection, nuint length, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        if (whole < length)
        {
            TLanes slope = Lanes.Read<TLanes>(in y, whole, length, 0f) * (Lanes.Read<TLanes>(in gradient, whole, length, 0f) - projection);
            Lanes.Write(slope, ref result, whole, length);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes.Store(TLanes.Load(in y, i) * (TLanes.Load(in gradient, i) - projection), ref result, i);
        }
    }

    /// <summary>g − eʸ · total.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LogSlopes<TLanes>(ref float y, ref float gradient, TLanes total, nuint length, ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        if (whole < length)
        {
            TLanes probability = TLanes.Exp(Lanes.Read<TLanes>(in y, whole, length, 0f));
            Lanes.Write(Lanes.Read<TLanes>(in gradient, whole, length, 0f) - (probability * total), ref result, whole, length);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes probability = TLanes.Exp(TLanes.Load(in y, i));
            TLanes.Store(TLanes.Load(in gradient, i) - (probability * total), ref result, i);
        }
    }

    /// <summary>The input, or backward the output; the gradient of the output, or forward anything; and where the result goes.</summary>
    private readonly record struct Operands(
        float[] X, float[] Gradient, AxisLayout Layout, bool Logarithm, bool IsForward, float[] Result);

    /// <summary>One long row, or some short ones.</summary>
    private readonly struct RowsBody<TRow>(Operands operands) : ILoopBody
        where TRow : struct, IRowLanes
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> room = stackalloc float[TRow.RoomLength];
            Span<float> gradientRoom = stackalloc float[TRow.RoomLength];
            int columns = operands.Layout.Axis;
            int end = Math.Min(operands.Layout.Outer, (item + 1) * TRow.RowsOfItem);
            for (int row = item * TRow.RowsOfItem, rows; row < end; row += rows)
            {
                rows = Math.Min(TRow.RowsAtOnce<TLanes>(), end - row);
                ref float x = ref TRow.Read<TLanes>(operands.X, row, rows, columns, room);
                ref float gradient = ref operands.IsForward ? ref x : ref TRow.Read<TLanes>(operands.Gradient, row, rows, columns, gradientRoom);
                ref float result = ref TRow.Target(operands.Result, row, columns, room);
                Compute<TLanes, TRow>(operands, rows, TRow.Length<TLanes>(columns), ref x, ref gradient, ref result);
                TRow.Write<TLanes>(room, operands.Result, row, rows, columns);
            }
        }
    }

    /// <summary>Some neighbouring columns, copied to be walked as rows.</summary>
    private readonly struct ColumnsBody<TRow>(Operands operands) : ILoopBody
        where TRow : struct, IRowLanes
    {
        /// <summary>A line of the cache.</summary>
        public const int StripWidth = 16;

        public int Strips => (operands.Layout.Inner + StripWidth - 1) / StripWidth;

        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            (int outer, int strip) = Math.DivRem(item, Strips);
            (_, int axis, int inner) = operands.Layout;
            int length = axis * Math.Min(StripWidth, inner);
            float[]? rented = length > RowInEachLane.RoomLength ? ArrayPool<float>.Shared.Rent(length) : null;
            float[]? rentedGradient = rented is null || operands.IsForward ? null : ArrayPool<float>.Shared.Rent(length);
            Span<float> x = rented ?? stackalloc float[RowInEachLane.RoomLength];
            Span<float> gradient = rentedGradient ?? (rented is null ? stackalloc float[RowInEachLane.RoomLength] : x);
            int end = Math.Min(inner, (strip + 1) * StripWidth);
            for (int column = strip * StripWidth, columns; column < end; column += columns)
            {
                columns = Math.Min(TRow.ColumnsAtOnce<TLanes>(), end - column);
                int start = (outer * axis * inner) + column;
                TRow.ReadColumns<TLanes>(operands.X.AsSpan(start), inner, columns, axis, x);
                if (!operands.IsForward)
                {
                    TRow.ReadColumns<TLanes>(operands.Gradient.AsSpan(start), inner, columns, axis, gradient);
                }

                for (int row = 0, rows; row < columns; row += rows)
                {
                    rows = Math.Min(TRow.RowsAtOnce<TLanes>(), columns - row);
                    ref float first = ref x[row * axis];
                    Compute<TLanes, TRow>(operands, rows, TRow.Length<TLanes>(axis), ref first, ref gradient[row * axis], ref first);
                }

                TRow.WriteColumns<TLanes>(x, operands.Result.AsSpan(start), inner, columns, axis);
            }

            Return(rented);
            Return(rentedGradient);
        }

        private static void Return(float[]? rented)
        {
            if (rented is not null)
            {
                ArrayPool<float>.Shared.Return(rented);
            }
        }
    }
}
