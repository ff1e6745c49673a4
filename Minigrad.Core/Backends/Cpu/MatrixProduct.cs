using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Matrix products from register tiles: 4 rows by 2 vectors of the result stay in registers while the depth is walked
/// once. The result is cut into blocks by its shape alone, and the depth of an element is always summed from first to
/// last, so the bits do not depend on the number of threads.
/// </summary>
internal static class MatrixProduct
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>
    /// Rows of a tile. With 2 vectors that is 8 sums, enough independent work to hide the latency of a multiply-add, and
    /// with operands 11 registers, which also the narrow machines have.
    /// </summary>
    private const int TileRows = 4;

    /// <summary>Vectors of a tile's width.</summary>
    private const int TileVectors = 2;

    /// <summary>
    /// Rows that one block of work covers. Each block packs its own panel of the right operand, which costs as much as
    /// one row of the result; over this many rows that is a percent.
    /// </summary>
    private const int BlockRows = 96;

    /// <summary>With fewer rows, reading the right operand where it lies beats packing it.</summary>
    private const int RowsWorthPacking = 12;

    [ThreadStatic]
    private static float[]? panel;

    /// <summary>C = op(A) · op(B) for each product of a batch.</summary>
    public static void Run(
        Workers workers, MatrixProductShape shape, ArraySegment<float> left, ArraySegment<float> right, ArraySegment<float> result)
    {
        if (shape.Batch == 0 || shape.Rows == 0 || shape.Columns == 0)
        {
            return;
        }

        if (shape.Depth == 0)
        {
            result.AsSpan(0, shape.Batch * shape.Rows * shape.Columns).Clear();
            return;
        }

        Body body = new(shape, left, right, result);
        workers.For(body.Items, body.WorkPerItem, body);
    }

    /// <summary>Four rows of the result by two vectors of columns.</summary>
    [MethodImpl(Loop)]
    private static void FourRows<TLanes>(
        ref float a, nuint rowStep, nuint depthStep, ref float b, nuint panelStep, nuint depth, ref float c, nuint resultStep)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes c00 = 0f;
        TLanes c01 = 0f;
        TLanes c10 = 0f;
        TLanes c11 = 0f;
        TLanes c20 = 0f;
        TLanes c21 = 0f;
        TLanes c30 = 0f;
        TLanes c31 = 0f;
        ref float a1 = ref Unsafe.Add(ref a, rowStep);
        ref float a2 = ref Unsafe.Add(ref a1, rowStep);
        ref float a3 = ref Unsafe.Add(ref a2, rowStep);
        nuint place = 0;
        nuint panelPlace = 0;
        for (nuint k = 0; k < depth; k++)
        {
            TLanes b0 = TLanes.Load(in b, panelPlace);
            TLanes b1 = TLanes.Load(in b, panelPlace + width);
            TLanes factor = Unsafe.Add(ref a, place);
            c00 = TLanes.MultiplyAdd(factor, b0, c00);
            c01 = TLanes.MultiplyAdd(factor, b1, c01);
            factor = Unsafe.Add(ref a1, place);
            c10 = TLanes.MultiplyAdd(factor, b0, c10);
            c11 = TLanes.MultiplyAdd(factor, b1, c11);
            factor = Unsafe.Add(ref a2, place);
            c20 = TLanes.MultiplyAdd(factor, b0, c20);
            c21 = TLanes.MultiplyAdd(factor, b1, c21);
            factor = Unsafe.Add(ref a3, place);
            c30 = TLanes.MultiplyAdd(factor, b0, c30);
            c31 = TLanes.MultiplyAdd(factor, b1, c31);
            place += depthStep;
            panelPlace += panelStep;
        }

        TLanes.Store(c00, ref c, 0);
        TLanes.Store(c01, ref c, width);
        TLanes.Store(c10, ref c, resultStep);
        TLanes.Store(c11, ref c, resultStep + width);
        TLanes.Store(c20, ref c, 2 * resultStep);
        TLanes.Store(c21, ref c, (2 * resultStep) + width);
        TLanes.Store(c30, ref c, 3 * resultStep);
        TLanes.Store(c31, ref c, (3 * resultStep) + width);
    }

    /// <summary>One row of the result by two vectors of columns.</summary>
    [MethodImpl(Loop)]
    private static void OneRow<TLanes>(
        ref float a, nuint depthStep, ref float b, nuint panelStep, nuint depth, ref float c)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes c0 = 0f;
        TLanes c1 = 0f;
        nuint place = 0;
        nuint panelPlace = 0;
        for (nuint k = 0; k < depth; k++)
        {
            TLanes factor = Unsafe.Add(ref a, place);
            c0 = TLanes.MultiplyAdd(factor, TLanes.Load(in b, panelPlace), c0);
            c1 = TLanes.MultiplyAdd(factor, TLanes.Load(in b, panelPlace + width), c1);
            place += depthStep;
            panelPlace += panelStep;
        }

        TLanes.Store(c0, ref c, 0);
        TLanes.Store(c1, ref c, width);
    }

    /// <summary>One block of the result: some rows by one panel of columns, of one product of the batch.</summary>
    private readonly struct Body(
        MatrixProductShape shape, ArraySegment<float> left, ArraySegment<float> right, ArraySegment<float> result) : ILoopBody
    {
        private readonly int panelWidth = TileVectors * CpuBackend.VectorWidth / 32;

        /// <summary>How many blocks there are.</summary>
        public int Items => shape.Batch * Panels * RowBlocks;

        /// <summary>A multiply-add over a vector costs about as much as copying one: two operations for each element.</summary>
        public int WorkPerItem =>
            (int)Math.Min(int.MaxValue, (long)Math.Min(shape.Rows, BlockRows) * shape.Depth * Math.Min(shape.Columns, panelWidth) / 16);

        private int Panels => (shape.Columns + panelWidth - 1) / panelWidth;

        private int RowBlocks => (shape.Rows + BlockRows - 1) / BlockRows;

        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int rowBlock = item % RowBlocks;
            int column = item / RowBlocks % Panels * panelWidth;
            int product = item / RowBlocks / Panels;
            int columns = Math.Min(panelWidth, shape.Columns - column);
            int leftStart = shape.SharedLeft ? 0 : product * shape.Rows * shape.Depth;
            int rightStart = shape.SharedRight ? 0 : product * shape.Depth * shape.Columns;

            bool isReadInPlace = !shape.TransposeRight && columns == panelWidth && shape.Rows < RowsWorthPacking;
            ref float b = ref isReadInPlace ? ref At(right, rightStart + column) : ref Pack(rightStart, column, columns);
            nuint panelStep = (nuint)(isReadInPlace ? shape.Columns : panelWidth);

            // A tile is always stored whole; at the right edge it goes to the stack first, and only its columns that exist
            // are copied. (A masked store inside the loop's method would keep the sums out of registers.)
            Span<float> edge = stackalloc float[TileRows * TileVectors * TLanes.Count];
            bool isWhole = columns == panelWidth;
            nuint rowStep = shape.TransposeLeft ? 1 : (nuint)shape.Depth;
            nuint depthStep = shape.TransposeLeft ? (nuint)shape.Rows : 1;
            int end = Math.Min(shape.Rows, (rowBlock + 1) * BlockRows);
            int row = rowBlock * BlockRows;
            while (row < end)
            {
                int rows = row + TileRows <= end ? TileRows : 1;
                Span<float> target = result.AsSpan((((product * shape.Rows) + row) * shape.Columns) + column);
                ref float a = ref At(left, leftStart + (row * (int)rowStep));
                ref float c = ref isWhole ? ref target[0] : ref edge[0];
                nuint resultStep = (nuint)(isWhole ? shape.Columns : panelWidth);
                if (rows == TileRows)
                {
                    FourRows<TLanes>(ref a, rowStep, depthStep, ref b, panelStep, (nuint)shape.Depth, ref c, resultStep);
                }
                else
                {
                    OneRow<TLanes>(ref a, depthStep, ref b, panelStep, (nuint)shape.Depth, ref c);
                }

                for (int i = 0; i < rows && !isWhole; i++)
                {
                    edge.Slice(i * panelWidth, columns).CopyTo(target[(i * shape.Columns)..]);
                }

                row += rows;
            }
        }

        private static ref float At(ArraySegment<float> values, int place) => ref values.Array![values.Offset + place];

        /// <summary>
        /// Copies some columns of op(B) into consecutive rows of the panel's width; columns that do not exist are zero.
        /// </summary>
        private ref float Pack(int rightStart, int column, int columns)
        {
            int length = shape.Depth * panelWidth;
            if (panel is null || panel.Length < length)
            {
                panel = GC.AllocateUninitializedArray<float>(Math.Max(length, 16384));
            }

            float[] packed = panel;
            if (shape.TransposeRight)
            {
                PackTransposed(packed, rightStart, column, columns);
                return ref packed[0];
            }

            for (int k = 0; k < shape.Depth; k++)
            {
                Span<float> row = packed.AsSpan(k * panelWidth, panelWidth);
                right.AsSpan(rightStart + (k * shape.Columns) + column, columns).CopyTo(row);
                row[columns..].Clear();
            }

            return ref packed[0];
        }

        private void PackTransposed(float[] packed, int rightStart, int column, int columns)
        {
            if (columns < panelWidth)
            {
                packed.AsSpan(0, shape.Depth * panelWidth).Clear();
            }

            // Sixteen steps of the depth at a time: each column is read along its cache lines, which the next columns'
            // writes into the same few rows of the panel do not push out.
            const int Steps = 16;
            for (int start = 0; start < shape.Depth; start += Steps)
            {
                int steps = Math.Min(Steps, shape.Depth - start);
                for (int j = 0; j < columns; j++)
                {
                    ReadOnlySpan<float> source = right.AsSpan(rightStart + ((column + j) * shape.Depth) + start, steps);
                    Span<float> target = packed.AsSpan((start * panelWidth) + j);
                    for (int k = 0; k < source.Length; k++)
                    {
                        target[k * panelWidth] = source[k];
                    }
                }
            }
        }
    }
}
