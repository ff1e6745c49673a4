using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// One row times a matrix: inference of one sample, and a step of one sequence. Each number of B is used once, so nothing that is
/// copied first is repaid, and the time is that of reading B. It is read as it lies, four rows at a time from the first column to
/// the last, which a processor foresees; the sums stay in the nearest cache, and each is read and written once for four
/// multiply-adds. Sums of different columns do not wait for each other, as the two of a tile of one row do.
/// </summary>
/// <remarks>
/// Columns at the end that fill no vector are computed as a whole one, whose other lanes get the numbers of the next row of B and go
/// nowhere. Only after B's last row there is nothing. Each sum is made of the same chains of multiply-adds over the
/// depth as that of tiles.
/// </remarks>
internal static class RowProduct
{
    /// <summary>The columns of an item are a multiple of this, whole vectors of any width.</summary>
    private const int LeastColumns = 64;

    /// <summary>The most columns of an item: 4 KB of sums.</summary>
    private const int MostColumns = 1024;

    /// <summary>A matrix is cut into about as many items, so that many threads can share it.</summary>
    private const int Items = 16;

    /// <summary>Rows of B that are read side by side.</summary>
    private const int Steps = 4;

    /// <summary>Whether a product is computed here.</summary>
    /// <param name="shape">Its shapes.</param>
    public static bool Suits(MatrixProductShape shape) =>
        shape.Rows == 1 && !shape.TransposeRight && shape.Columns >= MatrixProductPlan.StripWidth;

    /// <summary>C = f(a · B + bias) for each product of a batch.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="shape">The shapes.</param>
    /// <param name="left">The rows, a.</param>
    /// <param name="right">B.</param>
    /// <param name="result">C.</param>
    /// <param name="epilogue">What is done to finished elements.</param>
    public static void Run<TActivation>(
        Workers workers,
        MatrixProductShape shape,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue)
        where TActivation : unmanaged, IUnaryOp
    {
        int columns = Math.Min(MostColumns, ((shape.Columns / Items / LeastColumns) + 1) * LeastColumns);
        int parts = (shape.Columns + columns - 1) / columns;
        int work = (int)Math.Min(int.MaxValue, (long)shape.Depth * columns);
        workers.For(shape.Batch * parts, work, new Body<TActivation>(shape, columns, parts, left, right, result, epilogue));
    }

    /// <summary>Adds some steps of the depth, <see cref="Steps"/> at a time.</summary>
    /// <param name="a">The row's numbers.</param>
    /// <param name="b">The first column's numbers of B.</param>
    /// <param name="step">From one row of B to the next.</param>
    /// <param name="depth">How many steps.</param>
    /// <param name="sums">The sums, of whole vectors.</param>
    /// <param name="columns">How many sums.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Add<TLanes>(ref float a, ref float b, nuint step, nuint depth, ref float sums, nuint columns)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint k = 0;
        for (; k + Steps <= depth; k += Steps)
        {
            TLanes a0 = Unsafe.Add(ref a, k);
            TLanes a1 = Unsafe.Add(ref a, k + 1);
            TLanes a2 = Unsafe.Add(ref a, k + 2);
            TLanes a3 = Unsafe.Add(ref a, k + 3);
            ref float b1 = ref Unsafe.Add(ref b, step);
            ref float b2 = ref Unsafe.Add(ref b1, step);
            ref float b3 = ref Unsafe.Add(ref b2, step);
            for (nuint column = 0; column < columns; column += (nuint)TLanes.Count)
            {
                TLanes sum = TLanes.Load(in sums, column);
                TLanes.AddProduct(a0, TLanes.Load(in b, column), ref sum);
                TLanes.AddProduct(a1, TLanes.Load(in b1, column), ref sum);
                TLanes.AddProduct(a2, TLanes.Load(in b2, column), ref sum);
                TLanes.AddProduct(a3, TLanes.Load(in b3, column), ref sum);
                TLanes.Store(sum, ref sums, column);
            }

            b = ref Unsafe.Add(ref b, Steps * step);
        }

        for (; k < depth; k++)
        {
            TLanes factor = Unsafe.Add(ref a, k);
            for (nuint column = 0; column < columns; column += (nuint)TLanes.Count)
            {
                TLanes sum = TLanes.Load(in sums, column);
                TLanes.AddProduct(factor, TLanes.Load(in b, column), ref sum);
                TLanes.Store(sum, ref sums, column);
            }

            b = ref Unsafe.Add(ref b, step);
        }
    }

    /// <summary>Computes some columns of one product of the batch.</summary>
    private readonly struct Body<TActivation>(
        MatrixProductShape shape,
        int columnsOfItem,
        int parts,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue) : ILoopBody
        where TActivation : unmanaged, IUnaryOp
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int product = item / parts;
            int column = item % parts * columnsOfItem;
            int columns = Math.Min(columnsOfItem, shape.Columns - column);
            Span<float> sums = stackalloc float[MostColumns];
            Span<float> target = result.AsSpan((product * shape.Columns) + column, columns);
            Chain<TLanes>(product, column, columns, 0, sums);
            sums[..columns].CopyTo(target);
            if (shape.Depth > MatrixProductPlan.LongestChain)
            {
                AddChains<TLanes>(product, column, target, sums);
            }

            if (!epilogue.IsEmpty)
            {
                epilogue.Finish<TLanes>(ref target[0], shape.Columns, 1, column, columns);
            }
        }

        /// <summary>
        /// Adds the chains after the first. Not in one method with the first: a small network took 3.6 microseconds for one row so, and takes 2.0.
        /// </summary>
        private void AddChains<TLanes>(int product, int column, Span<float> target, Span<float> sums)
            where TLanes : struct, ILanes<TLanes>
        {
            for (int begin = MatrixProductPlan.LongestChain; begin < shape.Depth; begin += MatrixProductPlan.LongestChain)
            {
                Chain<TLanes>(product, column, target.Length, begin, sums);
                for (int j = 0; j < target.Length; j++)
                {
                    target[j] += sums[j];
                }
            }
        }

        /// <summary>The sums of the chain that begins at a step.</summary>
        [SkipLocalsInit]
        private void Chain<TLanes>(int product, int column, int columns, int begin, Span<float> sums)
            where TLanes : struct, ILanes<TLanes>
        {
            MatrixProductPlan plan = new(shape);
            int rest = columns % TLanes.Count;
            int end = Math.Min(shape.Depth - begin, MatrixProductPlan.LongestChain) + begin;
            sums[..columnsOfItem].Clear();
            ReadOnlySpan<float> a = left.AsSpan(plan.LeftStart(product), shape.Depth);
            ReadOnlySpan<float> b = right.AsSpan(plan.RightStart(product) + column, ((shape.Depth - 1) * shape.Columns) + columns);
            int whole = rest == 0 ? end : Math.Min(end, shape.Depth - 1);
            nuint vectors = (nuint)(rest == 0 ? columns : columns + TLanes.Count - rest);
            ref float first = ref Unsafe.AsRef(in b[begin * shape.Columns]);
            Add<TLanes>(ref Unsafe.AsRef(in a[begin]), ref first, (nuint)shape.Columns, (nuint)(whole - begin), ref sums[0], vectors);
            if (whole < end)
            {
                Span<float> padded = stackalloc float[MostColumns];
                b[(whole * shape.Columns)..].CopyTo(padded);
                Add<TLanes>(ref Unsafe.AsRef(in a[whole]), ref padded[0], 0, 1, ref sums[0], vectors);
            }
        }
    }
}
