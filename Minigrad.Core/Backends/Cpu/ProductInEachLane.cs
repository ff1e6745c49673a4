using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Many products of small matrices: each lane is a product. A tile would be empty for the most part, and to begin one takes longer
/// than its multiply-adds; so the matrices are transposed, as many products at a time as there are lanes, and each multiply-add
/// serves all of them. Each sum is the same chain of multiply-adds over the depth as in a tile.
/// </summary>
internal static class ProductInEachLane
{
    /// <summary>The most rows, columns and steps. Eight columns fill a vector of a tile.</summary>
    private const int MostLines = 7;

    /// <summary>How many products make one item of work, whatever the width of vectors.</summary>
    private const int ProductsOfItem = 16;

    /// <summary>The fewest products, for which half of the longest vector is used.</summary>
    private const int FewestProducts = 8;

    /// <summary>The numbers of one operand of as many products as the longest vector has lanes.</summary>
    private const int RoomLength = MostLines * MostLines * ProductsOfItem;

    /// <summary>Whether the products of a batch are computed here.</summary>
    /// <param name="shape">Their shape.</param>
    public static bool Suits(MatrixProductShape shape) =>
        shape is { Batch: >= FewestProducts, SharedLeft: false, SharedRight: false }
        && shape.Rows <= MostLines && shape.Columns <= MostLines && shape.Depth <= MostLines;

    /// <summary>C = f(op(A) · op(B) + bias) for each product of a batch.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="shape">The shapes.</param>
    /// <param name="left">The matrices A, one behind the other.</param>
    /// <param name="right">The matrices B.</param>
    /// <param name="result">The matrices C.</param>
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
        int items = (shape.Batch + ProductsOfItem - 1) / ProductsOfItem;
        workers.For(items, ProductsOfItem * shape.Rows * shape.Columns * shape.Depth, new Body<TActivation>(shape, left, right, result, epilogue));
    }

    /// <summary>One product in each lane: number n of a matrix at n · lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TLanes>(MatrixProductShape shape, ref float a, ref float b, ref float c)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint lanes = (nuint)TLanes.Count;
        (nuint rows, nuint columns, nuint depth) = ((nuint)shape.Rows, (nuint)shape.Columns, (nuint)shape.Depth);
        (nuint aRow, nuint aStep) = shape.TransposeLeft ? (lanes, rows * lanes) : (depth * lanes, lanes);
        (nuint bStep, nuint bColumn) = shape.TransposeRight ? (lanes, depth * lanes) : (columns * lanes, lanes);
        for (nuint row = 0; row < rows; row++)
        {
            for (nuint column = 0; column < columns; column++)
            {
                TLanes sum = 0f;
                for (nuint k = 0; k < depth; k++)
                {
                    TLanes.AddProduct(
                        TLanes.Load(in a, (row * aRow) + (k * aStep)), TLanes.Load(in b, (k * bStep) + (column * bColumn)), ref sum);
                }

                TLanes.Store(sum, ref c, ((row * columns) + column) * lanes);
            }
        }
    }

    /// <summary>Some products of the batch.</summary>
    private readonly struct Body<TActivation>(
        MatrixProductShape shape,
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
            Span<float> a = stackalloc float[RoomLength];
            Span<float> b = stackalloc float[RoomLength];
            Span<float> c = stackalloc float[RoomLength];
            int length = shape.Rows * shape.Columns;
            int end = Math.Min(shape.Batch, (item + 1) * ProductsOfItem);
            for (int product = item * ProductsOfItem, count; product < end; product += count)
            {
                count = Math.Min(TLanes.Count, end - product);
                Read(left, product, count, shape.Rows * shape.Depth, a, TLanes.Count);
                Read(right, product, count, shape.Depth * shape.Columns, b, TLanes.Count);
                Multiply<TLanes>(shape, ref a[0], ref b[0], ref c[0]);
                Span<float> target = result.AsSpan(product * length, count * length);
                OperandPacking.Transpose(c, TLanes.Count, length, count, target, length);
                if (!epilogue.IsEmpty)
                {
                    epilogue.Finish<TLanes>(ref target[0], shape.Columns, count * shape.Rows, 0, shape.Columns);
                }
            }
        }

        /// <summary>Lanes without a product keep what they have, which goes nowhere.</summary>
        private static void Read(ArraySegment<float> source, int product, int count, int length, Span<float> room, int lanes) =>
            OperandPacking.Transpose(source.AsSpan(product * length, count * length), length, count, length, room, lanes);
    }
}
