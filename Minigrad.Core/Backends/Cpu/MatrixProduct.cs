using System.Buffers;
using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Matrix products. Both operands are packed into strips, then blocks of the result are computed tile by tile
/// (<see cref="TileKernel"/>): a block is some rows by one strip of B, cut along the depth so that the strip's part stays in
/// the nearest caches while all rows of the block pass over it (Goto and van de Geijn, 2008, "Anatomy of high-performance
/// matrix multiplication"). Very large operands are packed a part at a time, so that memory stays bounded.
/// </summary>
/// <remarks>
/// Where few strips of B read each block of a large A, a block is all of them and packs its part of A itself, so that the packed
/// form stays in a cache. What packing would not repay is read in place. A right operand that comes again unchanged, as the weights of a recurrent
/// layer at each step, is kept packed. None of this changes a bit: every element is one chain of multiply-adds over the
/// depth, from first to last.
/// </remarks>
internal static class MatrixProduct
{
    /// <summary>The most rows of a block: eight of the highest tiles share a strip of B.</summary>
    private const int MostBlockRows = 96;

    /// <summary>Rows of a block are a multiple of this, so that the lower tiles at its end are no slower for each row.</summary>
    private const int RowsApart = 4;

    /// <summary>The most rows of A that are packed at once.</summary>
    private const int PackedRows = 20 * MostBlockRows;

    /// <summary>The most steps of the depth that are packed at once, unless B's packed form is kept whole.</summary>
    private const int PackedDepth = 1024;

    /// <summary>With no more strips of B than this, packing a transposed A is not repaid.</summary>
    private const int StripsReadInPlace = 2;

    /// <summary>With no more strips of B than this, a block of A is packed by who computes it.</summary>
    private const int MostStripsOfBlock = 8;

    /// <summary>The most rows of a block that is packed by who computes it: small, since all strips are one item for one thread.</summary>
    private const int OwnBlockRows = 48;

    /// <summary>With fewer blocks than this there would be too few for many threads.</summary>
    private const int FewestOwnBlocks = 8;

    /// <summary>Numbers in a page. What lies whole pages apart has its place in the same few lines of the caches.</summary>
    private const int PageLength = 1024;

    [ThreadStatic]
    private static float[]? leftBuffer;

    [ThreadStatic]
    private static float[]? rightBuffer;

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

        if (shape.Columns == 1 && shape.Rows > 1)
        {
            RunTransposed(workers, shape, left, right, result, epilogue);
            return;
        }

        int packedDepth = kept is null ? PackedDepth : shape.Depth;
        for (int step = 0; step < shape.Depth; step += packedDepth)
        {
            Plan plan = new(shape) { FirstStep = step, StepCount = Math.Min(packedDepth, shape.Depth - step), RowCount = shape.Rows };
            float[]? packedRight = kept?.Find(shape, right.Offset)
                ?? (plan.IsRightInPlace && !TForm.IsRounded ? null : PackedRight<TForm>(workers, plan, right, kept));
            int packedRows = plan.IsLeftPackedByBlock ? shape.Rows : PackedRows;
            for (int row = 0; row < shape.Rows; row += packedRows)
            {
                plan = plan with { FirstRow = row, RowCount = Math.Min(packedRows, shape.Rows - row) };
                float[]? packedLeft = null;
                if (!plan.IsLeftInPlace && !plan.IsLeftPackedByBlock)
                {
                    packedLeft = Buffer(ref leftBuffer, plan.LeftCount * plan.RowCount * plan.StepCount);
                    workers.For(plan.LeftCount * plan.LeftGroups, plan.LeftGroupRows * plan.StepCount, new PackLeft(plan, left, packedLeft));
                }

                Multiply<TActivation, TForm> multiply = new(plan, left, right, packedLeft, packedRight, result, epilogue);
                workers.For(shape.Batch * plan.RowBlocks * plan.ColumnBlocks, plan.WorkPerBlock, multiply);
            }
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
        if (shape.Columns > 1 && kept.Find(shape, right.Offset) is null)
        {
            Plan plan = new(shape) { StepCount = shape.Depth, RowCount = shape.Rows };
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

    private static float[] PackedRight<TForm>(Workers workers, Plan plan, ArraySegment<float> right, PackedOperand? kept)
        where TForm : struct, IPackedForm
    {
        int length = plan.RightCount * plan.Strips * plan.StripLength / TForm.Value;
        float[] packed = kept?.Buffer(plan.Shape, length) ?? Buffer(ref rightBuffer, length);
        workers.For(plan.RightCount * plan.RightGroups, plan.RightGroupStrips * plan.StripLength, new PackRight<TForm>(plan, right, packed));
        kept?.Keep(plan.Shape, right.Offset, packed);
        return packed;
    }

    private static float[] Buffer(ref float[]? buffer, int length)
    {
        if (buffer is null || buffer.Length < length)
        {
            buffer = GC.AllocateUninitializedArray<float>(Math.Max(length, 16384));
        }

        return buffer;
    }

    /// <summary>How a part of a product is cut, by its shape and the machine's vectors alone.</summary>
    private readonly record struct Plan(MatrixProductShape Shape)
    {
        private static readonly int VectorLength = CpuBackend.VectorWidth / 32;

        /// <summary>The part's first row of A.</summary>
        public int FirstRow { get; init; }

        public int RowCount
        {
            get;
            init
            {
                field = value;
                IsLeftPackedByBlock = Shape.Rows > (FewestOwnBlocks - 1) * OwnBlockRows && Strips <= MostStripsOfBlock && !IsLeftInPlace;
                int most = IsLeftPackedByBlock ? OwnBlockRows : MostBlockRows;
                RowBlocks = (value + most - 1) / most;
                BlockRows = (((value + RowBlocks - 1) / RowBlocks) + RowsApart - 1) / RowsApart * RowsApart;
            }
        }

        /// <summary>How many blocks lie one below the other.</summary>
        public int RowBlocks { get; private init; }

        /// <summary>
        /// Rows of a block; the last one may have fewer. Blocks are about equally high, so that threads with as many blocks have as
        /// much to do, and each thread's part of a weight's gradient is that of the weight which it packs and updates.
        /// </summary>
        public int BlockRows { get; private init; }

        /// <summary>The part's first step of the depth.</summary>
        public int FirstStep { get; init; }

        public int StepCount { get; init; }

        /// <summary>
        /// Steps of the depth after which the next part of the strips is begun: B's is 64 KB at 512 bits, and 16 KB at 256,
        /// where each number of it is used half as often and has to come from the nearest cache.
        /// </summary>
        public static int BlockDepth => VectorLength == 16 ? 512 : 256;

        /// <summary>Rows of a tile; the last one may have fewer.</summary>
        public static int TileRows => VectorLength == 16 ? 12 : 6;

        /// <summary>
        /// Rows that are packed together. Where A is stored transposed, a line of the cache holds a step of several tiles: a
        /// block, so that it is not read by one after the other. Otherwise a tile has its lines for itself.
        /// </summary>
        public int LeftGroupRows => Shape.TransposeLeft ? BlockRows : TileRows;

        public int LeftGroups => RowBlocks * LeftGroupsPerBlock;

        private int LeftGroupsPerBlock => (BlockRows + LeftGroupRows - 1) / LeftGroupRows;

        /// <summary>Columns of a strip of B; in the last one some may not exist.</summary>
        public static int StripWidth => 2 * VectorLength;

        public int Strips => (Shape.Columns + StripWidth - 1) / StripWidth;

        public int StripLength => StepCount * StripWidth;

        /// <summary>Strips that are packed together, for the same reason.</summary>
        public int RightGroupStrips => Shape.TransposeRight ? 1 : 4;

        public int RightGroups => (Strips + RightGroupStrips - 1) / RightGroupStrips;

        public int LeftCount => Shape.SharedLeft ? 1 : Shape.Batch;

        public int RightCount => Shape.SharedRight ? 1 : Shape.Batch;

        /// <summary>One row is its own strip; a transposed A holds the rows of a step side by side as a strip does.</summary>
        public bool IsLeftInPlace =>
            Shape.Rows == 1 || (Shape.TransposeLeft && (Shape.Rows <= TileRows || (Strips <= StripsReadInPlace && !HasCollidingSteps)));

        /// <summary>
        /// Few strips of B read a block of A. It is packed by who computes it, a part of the depth at a time, and so never leaves that
        /// thread's caches; packed beforehand, a large A would be written to memory and read again from there.
        /// </summary>
        public bool IsLeftPackedByBlock { get; private init; }

        /// <summary>How many blocks lie side by side.</summary>
        public int ColumnBlocks => IsLeftPackedByBlock ? 1 : Strips;

        /// <summary>Strips of a block.</summary>
        public int BlockStrips => IsLeftPackedByBlock ? Strips : 1;

        /// <summary>Steps of a transposed A that are whole pages apart evict each other from the caches before the next tile reads them.</summary>
        private bool HasCollidingSteps => Shape.Rows % PageLength == 0 && Shape.Depth > BlockDepth;

        /// <summary>B as it lies holds the columns of a step side by side; a single tile would read a packed one only once.</summary>
        public bool IsRightInPlace => !Shape.TransposeRight && Shape.Rows <= TileRows && Shape.Columns % StripWidth == 0;

        /// <summary>
        /// A multiply-add over a vector costs about as much as copying one: two operations for each element. Fewer than
        /// four rows take as long as four, since each sum waits for its last multiply-add.
        /// </summary>
        public int WorkPerBlock =>
            (int)Math.Min(int.MaxValue, (long)Math.Max(BlockRows, 4) * StepCount * Math.Min(Shape.Columns, StripWidth * BlockStrips) / VectorLength);

        /// <summary>The rows of a group of A; in the last block there may be groups without.</summary>
        public (int First, int Count) LeftGroup(int group)
        {
            int block = group / LeftGroupsPerBlock * BlockRows;
            int first = block + (group % LeftGroupsPerBlock * LeftGroupRows);
            return (first, Math.Min(LeftGroupRows, Math.Min(RowCount, block + BlockRows) - first));
        }

        /// <summary>Packs rows of A, tile by tile. A tile with fewer rows is a narrower strip.</summary>
        public void PackLeft(ArraySegment<float> left, int product, int row, int rows, int step, int steps, Span<float> strips)
        {
            ReadOnlySpan<float> source = left.AsSpan(LeftStart(product));
            row += FirstRow;
            if (Shape.TransposeLeft)
            {
                OperandPacking.Copy(source[((step * Shape.Rows) + row)..], Shape.Rows, rows, steps, strips, TileRows, isPadded: false);
                return;
            }

            for (int done = 0; done < rows; done += TileRows)
            {
                int lines = Math.Min(TileRows, rows - done);
                OperandPacking.Transpose(
                    source[(((row + done) * Shape.Depth) + step)..], Shape.Depth, lines, steps, strips.Slice(done * steps, lines * steps), lines);
            }
        }

        /// <summary>Where the product's A begins.</summary>
        public int LeftStart(int product) => Shape.SharedLeft ? 0 : product * Shape.Rows * Shape.Depth;

        /// <summary>Where the product's B begins.</summary>
        public int RightStart(int product) => Shape.SharedRight ? 0 : product * Shape.Depth * Shape.Columns;
    }

    /// <summary>Packs some strips of B.</summary>
    private readonly struct PackRight<TForm>(Plan plan, ArraySegment<float> right, float[] packed) : ILoopBody
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
                Pack(product, firstStrip, packed.AsSpan(start, length));
                return;
            }

            float[] strips = ArrayPool<float>.Shared.Rent(length);
            Pack(product, firstStrip, strips);
            OperandPacking.Round<TLanes, TForm>(strips.AsSpan(0, length), packed.AsSpan(start / TForm.Value, length / TForm.Value));
            ArrayPool<float>.Shared.Return(strips);
        }

        private void Pack(int product, int firstStrip, Span<float> strips)
        {
            MatrixProductShape shape = plan.Shape;
            int column = firstStrip * Plan.StripWidth;
            int columns = Math.Min(plan.RightGroupStrips * Plan.StripWidth, shape.Columns - column);
            ReadOnlySpan<float> source = right.AsSpan(plan.RightStart(product));
            if (!shape.TransposeRight)
            {
                OperandPacking.Copy(
                    source[((plan.FirstStep * shape.Columns) + column)..], shape.Columns, columns, plan.StepCount, strips, Plan.StripWidth, isPadded: true);
                return;
            }

            for (int start = 0; start < columns; start += Plan.StripWidth)
            {
                OperandPacking.Transpose(
                    source[(((column + start) * shape.Depth) + plan.FirstStep)..],
                    shape.Depth,
                    Math.Min(Plan.StripWidth, columns - start),
                    plan.StepCount,
                    strips.Slice(start * plan.StepCount, plan.StripLength),
                    Plan.StripWidth);
            }
        }
    }

    /// <summary>Packs the rows of some tiles of A.</summary>
    private readonly struct PackLeft(Plan plan, ArraySegment<float> left, float[] packed) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            int product = item / plan.LeftGroups;
            (int row, int rows) = plan.LeftGroup(item % plan.LeftGroups);
            if (rows <= 0)
            {
                return;
            }

            Span<float> strips = packed.AsSpan(((product * plan.RowCount) + row) * plan.StepCount, rows * plan.StepCount);
            plan.PackLeft(left, product, row, rows, plan.FirstStep, plan.StepCount, strips);
        }
    }

    /// <summary>Computes one block: some rows by one strip of B, or by all, of one product of the batch.</summary>
    private readonly struct Multiply<TActivation, TForm>(
        Plan plan,
        ArraySegment<float> left,
        ArraySegment<float> right,
        float[]? packedLeft,
        float[]? packedRight,
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
            int firstRow = item / columnBlocks % plan.RowBlocks * plan.BlockRows;
            int lastRow = Math.Min(plan.RowCount, firstRow + plan.BlockRows);
            int product = item / columnBlocks / plan.RowBlocks;
            float[]? packedBlock = plan.IsLeftPackedByBlock ? Buffer(ref leftBuffer, plan.BlockRows * Plan.BlockDepth) : null;
            for (int k = 0; k < plan.StepCount; k += Plan.BlockDepth)
            {
                int depth = Math.Min(Plan.BlockDepth, plan.StepCount - k);
                if (packedBlock is not null)
                {
                    Span<float> strips = packedBlock.AsSpan(0, (lastRow - firstRow) * depth);
                    plan.PackLeft(left, product, firstRow, lastRow - firstRow, plan.FirstStep + k, depth, strips);
                }

                for (int strip = firstStrip; strip < firstStrip + plan.BlockStrips; strip++)
                {
                    AddStrip<TLanes>(product, strip, firstRow, lastRow, packedBlock, k, depth);
                }
            }
        }

        /// <summary>A part of the depth, for the rows of a block and a strip.</summary>
        private void AddStrip<TLanes>(int product, int strip, int firstRow, int lastRow, float[]? packedBlock, int k, int depth)
            where TLanes : struct, ILanes<TLanes>
        {
            MatrixProductShape shape = plan.Shape;
            int column = strip * Plan.StripWidth;
            int columns = Math.Min(Plan.StripWidth, shape.Columns - column);
            int stripLength = plan.StripLength / TForm.Value;
            int bStep = packedRight is null ? shape.Columns : Plan.StripWidth / TForm.Value;
            ReadOnlySpan<float> b = packedRight is null
                ? right.AsSpan(plan.RightStart(product) + (plan.FirstStep * shape.Columns) + column)
                : packedRight.AsSpan(((shape.SharedRight ? 0 : product * plan.Strips) + strip) * stripLength, stripLength);

            // Tiles are stored whole. At the right edge they go to the stack, and only the columns that exist are copied.
            bool isNarrow = columns <= TLanes.Count;
            bool isWhole = columns == (isNarrow ? TLanes.Count : Plan.StripWidth);
            Span<float> edge = stackalloc float[isWhole ? 0 : Plan.TileRows * Plan.StripWidth];
            bool isContinued = plan.FirstStep + k > 0;
            ref float bPart = ref Unsafe.AsRef(in b[k * bStep]);
            for (int row = firstRow; row < lastRow; row += Plan.TileRows)
            {
                int rows = Math.Min(Plan.TileRows, lastRow - row);
                int aStep = rows;
                ref float a = ref packedBlock is not null
                    ? ref packedBlock[(row - firstRow) * depth]
                    : ref LeftStrip(product, row, rows, k, out aStep);
                Span<float> target = result.AsSpan((((product * shape.Rows) + plan.FirstRow + row) * shape.Columns) + column);
                if (isWhole)
                {
                    TileKernel.Run<TLanes, TForm>(
                        rows, isNarrow, ref a, (nuint)aStep, ref bPart, (nuint)bStep, (nuint)depth, ref target[0], (nuint)shape.Columns, isContinued);
                    continue;
                }

                for (int i = 0; i < rows && isContinued; i++)
                {
                    target.Slice(i * shape.Columns, columns).CopyTo(edge[(i * Plan.StripWidth)..]);
                }

                TileKernel.Run<TLanes, TForm>(
                    rows, isNarrow, ref a, (nuint)aStep, ref bPart, (nuint)bStep, (nuint)depth, ref edge[0], (nuint)Plan.StripWidth, isContinued);
                for (int i = 0; i < rows; i++)
                {
                    edge.Slice(i * Plan.StripWidth, columns).CopyTo(target[(i * shape.Columns)..]);
                }
            }

            if (!epilogue.IsEmpty && plan.FirstStep + k + depth == shape.Depth)
            {
                ref float first = ref result.AsSpan((((product * shape.Rows) + plan.FirstRow + firstRow) * shape.Columns) + column)[0];
                epilogue.Finish<TLanes>(ref first, shape.Columns, lastRow - firstRow, column, columns);
            }
        }

        /// <summary>A's numbers for a tile, from a step of the part on.</summary>
        private ref float LeftStrip(int product, int row, int rows, int k, out int step)
        {
            if (packedLeft is not null)
            {
                step = rows;
                int start = (plan.Shape.SharedLeft ? 0 : product * plan.RowCount) + row;
                return ref packedLeft[(start * plan.StepCount) + (k * rows)];
            }

            step = plan.Shape.TransposeLeft ? plan.Shape.Rows : 1;
            int place = plan.LeftStart(product) + plan.FirstRow + row + ((plan.FirstStep + k) * step);
            return ref left.Array![left.Offset + place];
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
