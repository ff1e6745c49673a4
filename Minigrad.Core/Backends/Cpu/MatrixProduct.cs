using System.Buffers;
using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Matrix products. Both operands are packed into strips, and blocks of the result are computed tile by tile
/// (<see cref="TileKernel"/>): a block is some rows by one strip of B, cut along the depth so that the strip's part stays in
/// the nearest caches while all rows of the block pass over it (Goto and van de Geijn, 2008, "Anatomy of high-performance
/// matrix multiplication"). Each thread packs what it reads itself (<see cref="OwnPacking"/>), except a large B that several
/// blocks of rows or products read, and one that is kept; a great depth is packed a part at a time, so that memory stays bounded.
/// </summary>
/// <remarks>
/// Where few strips of B read each block of a large A, a block is all of them. One row uses each number of B once: it passes over
/// B as it lies (<see cref="RowProduct"/>), or, where B is stored transposed, over several packed strips at once
/// (<see cref="RowKernel"/>). Many small products are computed side by side (<see cref="ProductInEachLane"/>). What packing would not repay is read in place. A right operand that comes again unchanged, as the
/// weights of a recurrent layer at each step, is kept packed. None of this changes a bit: every element is one chain of
/// multiply-adds over the depth, from first to last, or where the depth is great the sum of such chains
/// (<see cref="MatrixProductPlan.LongestChain"/>).
/// </remarks>
internal static class MatrixProduct
{
    [ThreadStatic]
    private static AlignedBuffer? rightBuffer;

    /// <summary>C = f(op(A) · op(B) + bias) for each product of a batch.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="shape">The shapes.</param>
    /// <param name="left">A.</param>
    /// <param name="right">B.</param>
    /// <param name="result">C.</param>
    /// <param name="epilogue">What is done to finished elements: the bias and f.</param>
    /// <param name="kept">Where B's packed form is found, or kept for the next product; null if it is not to be kept.</param>
    public static void Run<TActivation>(
        Workers workers,
        MatrixProductShape shape,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue,
        PackedOperand? kept = null)
        where TActivation : unmanaged, IUnaryOp =>
        Run<TActivation, PlainForm>(workers, shape, left, right, result, epilogue, kept);

    /// <summary>The same of numbers of B in another form, which has to be kept.</summary>
    public static void Run<TActivation, TForm>(
        Workers workers,
        MatrixProductShape shape,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue,
        PackedOperand? kept)
        where TActivation : unmanaged, IUnaryOp
        where TForm : struct, IPackedForm
    {
        if (shape.Batch == 0 || shape.Rows == 0 || shape.Columns == 0)
        {
            return;
        }

        if (shape.Depth == 0)
        {
            result.AsSpan(0, shape.Batch * shape.Rows * shape.Columns).Clear();
            workers.For(shape.Batch * shape.Rows, shape.Columns, new FinishRow<TActivation>(shape.Columns, result, epilogue));
            return;
        }

        if (TForm.Value == 1 && !TForm.IsRounded && ProductInEachLane.Suits(shape))
        {
            ProductInEachLane.Run(workers, shape, left, right, result, epilogue);
            return;
        }

        if (shape.Columns == 1 && shape.Rows > 1)
        {
            RunTransposed(workers, shape, left, right, result, epilogue);
            return;
        }

        if (TForm.Value == 1 && !TForm.IsRounded && RowProduct.Suits(shape))
        {
            RowProduct.Run(workers, shape, left, right, result, epilogue);
            return;
        }

        if (shape.Depth <= MatrixProductPlan.LongestChain)
        {
            RunChain<TActivation, TForm>(workers, shape, 0, shape.Depth, left, right, result, epilogue, kept);
            return;
        }

        int length = shape.Batch * shape.Rows * shape.Columns;
        float[] sums = ArrayPool<float>.Shared.Rent(length);
        for (int begin = 0, end; begin < shape.Depth; begin = end)
        {
            end = Math.Min(shape.Depth, begin + MatrixProductPlan.LongestChain);
            ArraySegment<float> target = begin == 0 ? result : new ArraySegment<float>(sums, 0, length);
            RunChain<Identity, TForm>(workers, shape, begin, end, left, right, target, default, kept);
            if (begin > 0)
            {
                AddChain<TActivation> add = new(shape.Columns, sums, result, end == shape.Depth, epilogue);
                workers.For(shape.Batch * shape.Rows, shape.Columns, add);
            }
        }

        ArrayPool<float>.Shared.Return(sums);
    }

    /// <summary>A chain of the depth, or all of it.</summary>
    private static void RunChain<TActivation, TForm>(
        Workers workers,
        MatrixProductShape shape,
        int begin,
        int end,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue,
        PackedOperand? kept)
        where TActivation : unmanaged, IUnaryOp
        where TForm : struct, IPackedForm
    {
        for (int step = begin, steps; step < end; step += steps)
        {
            steps = Math.Min(kept is null ? MatrixProductPlan.MostSteps : shape.Depth, end - step);
            MatrixProductPlan plan = new(shape)
            {
                FirstStep = kept is null ? step : 0,
                StepCount = kept is null ? steps : shape.Depth,
                ChainBegin = begin,
                ChainEnd = end,
            };
            bool isSharedRight = TForm.IsRounded || !(plan.IsRightInPlace || (plan.IsRightPackedByThread && kept is null));
            AlignedBuffer? packedRight = kept?.Find(shape, right.Offset) ?? (isSharedRight ? PackedRight<TForm>(workers, plan, right, kept) : null);
            Multiply<TActivation, TForm> multiply = new(OwnPacking.NextProduct(), plan, left, right, packedRight, result, epilogue);
            workers.For(shape.Batch * plan.RowBlocks * plan.ColumnBlocks, plan.WorkPerBlock, multiply);
        }
    }

    /// <summary>Keeps B's packed form before the first of several products with it.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="shape">The shape of one of them.</param>
    /// <param name="right">B.</param>
    /// <param name="kept">Where the packed form is kept.</param>
    public static void KeepPacked(Workers workers, MatrixProductShape shape, ArraySegment<float> right, PackedOperand kept)
    {
        _ = kept.ComesAgain(shape.TransposeRight);
        if (shape.Columns > 1 && !RowProduct.Suits(shape) && kept.Find(shape, right.Offset) is null)
        {
            MatrixProductPlan plan = new(shape) { StepCount = shape.Depth };
            PackedRight<PlainForm>(workers, plan, right, kept);
        }
    }

    /// <summary>One column lies in memory as one row does: Cᵀ = op(B)ᵀ · op(A)ᵀ fills vectors with what would be a lane of each.</summary>
    private static void RunTransposed<TActivation>(
        Workers workers,
        MatrixProductShape shape,
        ArraySegment<float> left,
        ArraySegment<float> right,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue)
        where TActivation : unmanaged, IUnaryOp
    {
        MatrixProductShape transposed = new(1, shape.Rows, shape.Depth)
        {
            Batch = shape.Batch,
            TransposeLeft = !shape.TransposeRight,
            TransposeRight = !shape.TransposeLeft,
            SharedLeft = shape.SharedRight,
            SharedRight = shape.SharedLeft,
        };
        Run(workers, transposed, right, left, result, epilogue.OfOneColumn);
    }

    private static AlignedBuffer PackedRight<TForm>(Workers workers, MatrixProductPlan plan, ArraySegment<float> right, PackedOperand? kept)
        where TForm : struct, IPackedForm
    {
        int length = plan.RightCount * plan.Strips * plan.StripLength / TForm.Value;
        AlignedBuffer packed = kept?.Buffer(plan.Shape, length)
            ?? (rightBuffer?.Length >= length ? rightBuffer : rightBuffer = new AlignedBuffer(length));
        workers.For(plan.RightCount * plan.RightGroups, plan.RightGroupStrips * plan.StripLength, new PackRight<TForm>(plan, right, packed));
        kept?.Keep(plan.Shape, right.Offset, packed);
        return packed;
    }

    /// <summary>Packs some strips of B.</summary>
    private readonly struct PackRight<TForm>(MatrixProductPlan plan, ArraySegment<float> right, AlignedBuffer packed) : ILoopBody
        where TForm : struct, IPackedForm
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int product = item / plan.RightGroups;
            int firstStrip = item % plan.RightGroups * plan.RightGroupStrips;
            int start = ((product * plan.Strips) + firstStrip) * plan.StripLength;
            int length = Math.Min(plan.RightGroupStrips, plan.Strips - firstStrip) * plan.StripLength;
            if (!TForm.IsRounded)
            {
                plan.PackRight(right, product, firstStrip, packed.Slice(start, length));
                return;
            }

            float[] strips = ArrayPool<float>.Shared.Rent(length);
            plan.PackRight(right, product, firstStrip, strips);
            OperandPacking.Round<TLanes, TForm>(strips.AsSpan(0, length), packed.Slice(start / TForm.Value, length / TForm.Value));
            ArrayPool<float>.Shared.Return(strips);
        }
    }

    /// <summary>
    /// Some rows of a product and some steps of the depth, and A's packed form, none if it is read in place: all of the
    /// block's rows, steps from <paramref name="PackedFrom"/> on, <paramref name="PackedRowLength"/> from one row to the next.
    /// </summary>
    private readonly record struct BlockPart(
        int Product, int FirstRow, int LastRow, int FirstStep, int Depth, ArraySegment<float> PackedLeft, int PackedFrom, int PackedRowLength);

    /// <summary>Computes one block: some rows by one strip of B, or by all, of one product of the batch.</summary>
    private readonly struct Multiply<TActivation, TForm>(
        long number,
        MatrixProductPlan plan,
        ArraySegment<float> left,
        ArraySegment<float> right,
        AlignedBuffer? packedRight,
        ArraySegment<float> result,
        Epilogue<TActivation> epilogue) : ILoopBody
        where TActivation : unmanaged, IUnaryOp
        where TForm : struct, IPackedForm
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int columnBlocks = plan.ColumnBlocks;
            int firstStrip = item % columnBlocks * plan.BlockStrips;
            int block = item / columnBlocks % plan.RowBlocks;
            int product = item / columnBlocks / plan.RowBlocks;
            int firstRow = block * plan.BlockRows;
            int lastRow = Math.Min(plan.Shape.Rows, firstRow + plan.BlockRows);
            int begin = Math.Max(0, plan.ChainBegin - plan.FirstStep);
            int end = Math.Min(plan.StepCount, plan.ChainEnd - plan.FirstStep);
            for (int k = begin; k < end; k += plan.BlockDepth)
            {
                int depth = Math.Min(plan.BlockDepth, end - k);
                (int from, int steps) = plan.SpansAllStrips ? (k, depth) : (begin, end - begin);
                ArraySegment<float> packedLeft = plan.IsLeftInPlace ? default : OwnPacking.Current.Left(number, plan, left, product, block, from, steps);
                BlockPart part = new(product, firstRow, lastRow, k, depth, packedLeft, from, MatrixProductPlan.PackedRowLength(steps));
                int strips = Math.Min(plan.BlockStrips, plan.Strips - firstStrip);
                if (plan.Shape.Rows == 1 && TForm.Value == 1)
                {
                    AddRow<TLanes>(part, firstStrip, strips);
                    continue;
                }

                for (int strip = firstStrip; strip < firstStrip + strips; strip++)
                {
                    AddStrip<TLanes>(part, strip);
                }
            }
        }

        /// <summary>A part of the depth, for the rows of a block and a strip.</summary>
        private void AddStrip<TLanes>(in BlockPart part, int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            MatrixProductShape shape = plan.Shape;
            int column = strip * MatrixProductPlan.StripWidth;
            int columns = Math.Min(MatrixProductPlan.StripWidth, shape.Columns - column);
            ReadOnlySpan<float> b = RightStrip(part.Product, strip, out int bStep)[(part.FirstStep * bStep)..];
            Span<float> target = result.AsSpan((((part.Product * shape.Rows) + part.FirstRow) * shape.Columns) + column);
            int rowOfTiles = part.FirstRow;
            if (part.PackedLeft.Array is not null && TForm.Value == 1)
            {
                rowOfTiles += MatrixProductPlan.RowsOfColumns(part.LastRow - part.FirstRow, columns);
                for (int j = 0; j < columns && rowOfTiles > part.FirstRow; j++)
                {
                    AddColumn<TLanes>(part, rowOfTiles, b[j..], bStep, target[j..]);
                }
            }

            AddTiles<TLanes>(part, rowOfTiles, b, bStep, target, columns);

            if (!epilogue.IsEmpty && plan.FirstStep + part.FirstStep + part.Depth == shape.Depth)
            {
                epilogue.Finish<TLanes>(ref target[0], shape.Columns, part.LastRow - part.FirstRow, column, columns);
            }
        }

        /// <summary>A part of the depth, for one row and a few strips, which lie packed one behind the other.</summary>
        private void AddRow<TLanes>(in BlockPart part, int firstStrip, int strips)
            where TLanes : struct, ILanes<TLanes>
        {
            MatrixProductShape shape = plan.Shape;
            int column = firstStrip * MatrixProductPlan.StripWidth;
            int columns = Math.Min(strips * MatrixProductPlan.StripWidth, shape.Columns - column);
            ReadOnlySpan<float> b = RightStrip(part.Product, firstStrip, out int bStep)[(part.FirstStep * bStep)..];
            ref float a = ref LeftStrip(part, part.FirstRow, 1, out _, out _);
            Span<float> target = result.AsSpan((part.Product * shape.Columns) + column, columns);
            Span<float> sums = stackalloc float[RowKernel.Strips * MatrixProductPlan.StripWidth];
            sums.Clear();
            if (plan.FirstStep + part.FirstStep > plan.ChainBegin)
            {
                target.CopyTo(sums);
            }

            RowKernel.Run<TLanes>(strips, ref a, ref Unsafe.AsRef(in b[0]), (nuint)plan.StripLength, (nuint)part.Depth, ref sums[0]);
            sums[..columns].CopyTo(target);
            if (!epilogue.IsEmpty && plan.FirstStep + part.FirstStep + part.Depth == shape.Depth)
            {
                epilogue.Finish<TLanes>(ref target[0], shape.Columns, 1, column, columns);
            }
        }

        /// <summary>Adds A's rows from one on times a strip, tile by tile.</summary>
        private void AddTiles<TLanes>(in BlockPart part, int firstRow, ReadOnlySpan<float> b, int bStep, Span<float> target, int columns)
            where TLanes : struct, ILanes<TLanes>
        {
            // Tiles are stored whole. At the right edge they go to the stack, and only the columns that exist are copied.
            int step = plan.Shape.Columns;
            bool isNarrow = columns <= TLanes.Count;
            bool isWhole = columns == (isNarrow ? TLanes.Count : MatrixProductPlan.StripWidth);
            Span<float> edge = stackalloc float[isWhole ? 0 : MatrixProductPlan.TileRows * MatrixProductPlan.StripWidth];
            bool isContinued = plan.FirstStep + part.FirstStep > plan.ChainBegin;
            ref float firstOfB = ref Unsafe.AsRef(in b[0]);
            for (int row = firstRow, rows; row < part.LastRow; row += rows)
            {
                rows = MatrixProductPlan.RowsOfTile(part.LastRow - row);
                ref float a = ref LeftStrip(part, row, rows, out int aStep, out int aRow);
                Span<float> tile = target[((row - part.FirstRow) * step)..];
                if (isWhole)
                {
                    TileKernel.Run<TLanes, TForm>(
                        rows, isNarrow, ref a, (nuint)aStep, (nuint)aRow, ref firstOfB, (nuint)bStep, (nuint)part.Depth, ref tile[0], (nuint)step, isContinued);
                    continue;
                }

                for (int i = 0; i < rows && isContinued; i++)
                {
                    tile.Slice(i * step, columns).CopyTo(edge[(i * MatrixProductPlan.StripWidth)..]);
                }

                TileKernel.Run<TLanes, TForm>(
                    rows, isNarrow, ref a, (nuint)aStep, (nuint)aRow, ref firstOfB, (nuint)bStep, (nuint)part.Depth, ref edge[0], (nuint)MatrixProductPlan.StripWidth, isContinued);
                for (int i = 0; i < rows; i++)
                {
                    edge.Slice(i * MatrixProductPlan.StripWidth, columns).CopyTo(tile[(i * step)..]);
                }
            }
        }

        /// <summary>Adds A's packed rows up to one times a column, a few tiles at once.</summary>
        private void AddColumn<TLanes>(in BlockPart part, int lastRow, ReadOnlySpan<float> b, int bStep, Span<float> target)
            where TLanes : struct, ILanes<TLanes>
        {
            int step = plan.Shape.Columns;
            int tileLength = MatrixProductPlan.TileRows * part.PackedRowLength;
            bool isContinued = plan.FirstStep + part.FirstStep > plan.ChainBegin;
            Span<float> sums = stackalloc float[ColumnKernel.Tiles * TLanes.Count];
            for (int row = part.FirstRow; row < lastRow; row += ColumnKernel.Tiles * MatrixProductPlan.TileRows)
            {
                int tiles = Math.Min((lastRow - row) / MatrixProductPlan.TileRows, ColumnKernel.Tiles);
                int rows = tiles * MatrixProductPlan.TileRows;
                ref float a = ref LeftStrip(part, row, MatrixProductPlan.TileRows, out int aStep, out _);
                Span<float> numbers = target[((row - part.FirstRow) * step)..];
                sums.Clear();
                for (int i = 0; i < rows && isContinued; i++)
                {
                    sums[(i / MatrixProductPlan.TileRows * TLanes.Count) + (i % MatrixProductPlan.TileRows)] = numbers[i * step];
                }

                ColumnKernel.Run<TLanes>(
                    tiles, ref a, (nuint)tileLength, (nuint)aStep, ref Unsafe.AsRef(in b[0]), (nuint)bStep, (nuint)part.Depth, ref sums[0]);
                for (int i = 0; i < rows; i++)
                {
                    numbers[i * step] = sums[(i / MatrixProductPlan.TileRows * TLanes.Count) + (i % MatrixProductPlan.TileRows)];
                }
            }
        }

        /// <summary>B's numbers for a strip, from the plan's first step on.</summary>
        private ReadOnlySpan<float> RightStrip(int product, int strip, out int step)
        {
            MatrixProductShape shape = plan.Shape;
            int length = plan.StripLength / TForm.Value;
            step = MatrixProductPlan.StripWidth / TForm.Value;
            product = shape.SharedRight ? 0 : product;
            if (packedRight is not null)
            {
                return packedRight.Slice(((product * plan.Strips) + strip) * length, length);
            }

            if (plan.IsRightInPlace)
            {
                step = shape.Columns;
                return right.AsSpan(plan.RightStart(product) + (plan.FirstStep * step) + (strip * MatrixProductPlan.StripWidth));
            }

            return OwnPacking.Current.Right(number, plan, right, product, strip);
        }

        /// <summary>A's numbers for a tile, from the part's first step on, and how far apart those of two steps and of two rows are.</summary>
        private ref float LeftStrip(in BlockPart part, int row, int rows, out int step, out int rowStep)
        {
            (step, rowStep) = (rows, 1);
            if (part.PackedLeft.Array is { } packed)
            {
                return ref packed[part.PackedLeft.Offset + ((row - part.FirstRow) * part.PackedRowLength) + ((part.FirstStep - part.PackedFrom) * rows)];
            }

            (step, rowStep) = plan.Shape.TransposeLeft ? (plan.Shape.Rows, 1) : (1, plan.Shape.Depth);
            int place = plan.LeftStart(part.Product) + (row * rowStep) + ((plan.FirstStep + part.FirstStep) * step);
            return ref left.Array![left.Offset + place];
        }
    }

    /// <summary>Adds a row of a further chain's sums, and finishes it after the last.</summary>
    private readonly struct AddChain<TActivation>(
        int columns, float[] sums, ArraySegment<float> result, bool isLast, Epilogue<TActivation> epilogue) : ILoopBody
        where TActivation : unmanaged, IUnaryOp
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            ref float target = ref result.AsSpan(row * columns, columns)[0];
            Add<TLanes>(ref sums[row * columns], ref target, (nuint)columns);
            if (isLast && !epilogue.IsEmpty)
            {
                epilogue.Finish<TLanes>(ref target, columns, 1, 0, columns);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private static void Add<TLanes>(ref float x, ref float y, nuint length)
            where TLanes : struct, ILanes<TLanes>
        {
            nuint whole = length - (length % (nuint)TLanes.Count);
            for (nuint i = 0; i < whole; i += (nuint)TLanes.Count)
            {
                TLanes.Store(TLanes.Load(in y, i) + TLanes.Load(in x, i), ref y, i);
            }

            for (nuint i = whole; i < length; i++)
            {
                Unsafe.Add(ref y, i) += Unsafe.Add(ref x, i);
            }
        }
    }

    /// <summary>Finishes a row of a product without depth.</summary>
    private readonly struct FinishRow<TActivation>(int columns, ArraySegment<float> result, Epilogue<TActivation> epilogue) : ILoopBody
        where TActivation : unmanaged, IUnaryOp
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes> =>
            epilogue.Finish<TLanes>(ref result.AsSpan(row * columns)[0], columns, 1, 0, columns);
    }
}
