namespace Minigrad.Backends.Cpu;

/// <summary>How a part of a product is cut, by its shape and the machine's vectors alone.</summary>
internal readonly record struct MatrixProductPlan(MatrixProductShape Shape)
{
    /// <summary>The most rows of a block: eight of the highest tiles share a strip of B.</summary>
    public const int MostBlockRows = 96;

    /// <summary>Rows of a block are a multiple of this, so that the lower tiles at its end are no slower for each row.</summary>
    private const int RowsApart = 4;

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

    /// <summary>Of so many columns at the right edge each takes less time by itself than a tile for all: this part of a vector.</summary>
    private const int PartOfVectorAlone = 4;

    /// <summary>Numbers in the machine's vectors.</summary>
    public static readonly int VectorLength = CpuBackend.VectorWidth / 32;

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

    /// <summary>B is small, or each strip is read once: each thread packs what it reads, and so no line that another thread has read.</summary>
    public bool IsRightPackedByThread => !IsRightInPlace && (RowBlocks == 1 || (Strips * StripLength <= MostOwnRight && RightGroups <= MostGroupsOfThread));

    private const int MostOwnRight = 131072;

    public const int MostGroupsOfThread = 4096;

    /// <summary>
    /// A multiply-add over a vector costs about as much as copying one: two operations for each element. Fewer than
    /// four rows take as long as four, since each sum waits for its last multiply-add.
    /// </summary>
    public int WorkPerBlock =>
        (int)Math.Min(int.MaxValue, (long)Math.Max(BlockRows, 4) * StepCount * Math.Min(Shape.Columns, StripWidth * BlockStrips) / VectorLength);

    /// <summary>
    /// How many rows of a block have few columns computed one by one (<see cref="ColumnKernel"/>): those of whole tiles, if there are enough
    /// to hide a sum's latency, the more the more columns there are, and if a vector holds the rows of one.
    /// </summary>
    public static int RowsOfColumns(int rows, int columns)
    {
        bool isFew = columns <= VectorLength / PartOfVectorAlone;
        return isFew && rows >= Math.Max(2, columns - 1) * TileRows && TileRows <= VectorLength ? rows - (rows % TileRows) : 0;
    }

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

    /// <summary>Packs some strips of B.</summary>
    public void PackRight(ArraySegment<float> right, int product, int firstStrip, Span<float> strips)
    {
        int column = firstStrip * StripWidth;
        int columns = Math.Min(RightGroupStrips * StripWidth, Shape.Columns - column);
        ReadOnlySpan<float> source = right.AsSpan(RightStart(product));
        if (!Shape.TransposeRight)
        {
            OperandPacking.Copy(
                source[((FirstStep * Shape.Columns) + column)..], Shape.Columns, columns, StepCount, strips, StripWidth, isPadded: true);
            return;
        }

        for (int start = 0; start < columns; start += StripWidth)
        {
            OperandPacking.Transpose(
                source[(((column + start) * Shape.Depth) + FirstStep)..],
                Shape.Depth,
                Math.Min(StripWidth, columns - start),
                StepCount,
                strips.Slice(start * StepCount, StripLength),
                StripWidth);
        }
    }

    /// <summary>Where the product's A begins.</summary>
    public int LeftStart(int product) => Shape.SharedLeft ? 0 : product * Shape.Rows * Shape.Depth;

    /// <summary>Where the product's B begins.</summary>
    public int RightStart(int product) => Shape.SharedRight ? 0 : product * Shape.Depth * Shape.Columns;
}
