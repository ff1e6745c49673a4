namespace Minigrad.Backends.Cpu;

/// <summary>How a part of a product is cut, by its shape and the machine's vectors alone.</summary>
internal readonly struct MatrixProductPlan
{
    /// <summary>The most steps of the depth that are packed at once, unless B's packed form is kept whole.</summary>
    public const int MostSteps = 1024;

    /// <summary>
    /// The most multiply-adds of one chain. A longer sum is made of several, which are added: its error is about that of a chain.
    /// </summary>
    public const int LongestChain = 4 * MostSteps;

    /// <summary>How many numbers a part of a strip of B has: 64 KB at every width, for the second-level cache.</summary>
    private const int PartLength = 16384;

    /// <summary>Steps of a part where a block is all strips: A's part is packed by itself then, for the nearest caches.</summary>
    private const int StepsOfOwnPart = 512;

    /// <summary>The most rows of a block: eight of the highest tiles share a strip of B.</summary>
    private const int MostBlockRows = 96;

    /// <summary>The most rows of a block that is the only one, so that each strip of B is read by one thread.</summary>
    private const int MostRowsOfOnlyBlock = 2 * MostBlockRows;

    /// <summary>With fewer strips than this a single block would leave too little to share.</summary>
    private const int FewestStripsOfOnlyBlock = 16;

    /// <summary>How many packed numbers of an operand a thread keeps to itself: half of a second-level cache of 1 MB.</summary>
    private const int MostOwnNumbers = 131072;

    /// <summary>How many of an operand that a whole batch shares: each of its products reads them again.</summary>
    private const int MostSharedNumbers = 8 * MostOwnNumbers;

    /// <summary>Rows of a block are a multiple of this, so that the lower tiles at its end are no slower for each row.</summary>
    private const int RowsApart = 4;

    /// <summary>With no more strips of B than this, packing a transposed A is not repaid.</summary>
    private const int StripsReadInPlace = 2;

    /// <summary>With no more strips of B than this, packing an A that is not transposed is not repaid.</summary>
    private const int StripsOfRowsInPlace = 24;

    /// <summary>With no more strips of B than this, a block is all of them.</summary>
    private const int MostStripsOfBlock = 8;

    /// <summary>The most rows of such a block: few, since all strips are one item for one thread.</summary>
    private const int OwnBlockRows = 48;

    /// <summary>With fewer such blocks than this there would be too few for many threads.</summary>
    private const int FewestOwnBlocks = 8;

    /// <summary>Numbers in a page. What lies whole pages apart has its place in the same few lines of the caches.</summary>
    private const int PageLength = 1024;

    /// <summary>How many steps strips of A are further apart that would lie whole pages apart: more than a line of the cache.</summary>
    private const int StepsBetweenStrips = 4;

    /// <summary>Of so many columns at the right edge each takes less time by itself than a tile for all: this part of a vector.</summary>
    private const int PartOfVectorAlone = 4;

    /// <summary>Rows of a tile, where 32 registers hold its sums.</summary>
    private const int HighTile = 12;

    /// <summary>Rows of a tile, where 16 registers hold its sums.</summary>
    private const int LowTile = 6;

    /// <summary>A tile of no more rows than this has too few sums to hide the latency of a multiply-add.</summary>
    private const int FewRows = 3;

    /// <summary>Numbers in the machine's vectors.</summary>
    public static readonly int VectorLength = CpuBackend.VectorWidth / 32;

    /// <summary>Cuts a product.</summary>
    /// <param name="shape">Its shapes.</param>
    public MatrixProductPlan(MatrixProductShape shape)
    {
        Shape = shape;
        ChainEnd = shape.Depth;
        SpansAllStrips = shape.Rows > (FewestOwnBlocks - 1) * OwnBlockRows && Strips <= MostStripsOfBlock && !IsLeftInPlace;

        // A transposed A is that of a weight's gradient, of which each thread shall have the rows that it updates, and not
        // some columns of all.
        bool isOnlyBlock = !shape.TransposeLeft && Strips >= FewestStripsOfOnlyBlock
            && shape.Rows <= MostRowsOfOnlyBlock && (long)shape.Rows * shape.Depth <= MostOwnNumbers;
        int most = SpansAllStrips ? OwnBlockRows : isOnlyBlock ? MostRowsOfOnlyBlock : MostBlockRows;
        RowBlocks = (shape.Rows + most - 1) / most;
        BlockRows = (((shape.Rows + RowBlocks - 1) / RowBlocks) + RowsApart - 1) / RowsApart * RowsApart;
    }

    public MatrixProductShape Shape { get; }

    /// <summary>How many blocks lie one below the other.</summary>
    public int RowBlocks { get; }

    /// <summary>
    /// Rows of a block; the last one may have fewer. Blocks are about equally high, so that threads with as many blocks have as
    /// much to do, and each thread's part of a weight's gradient is that of the weight which it packs and updates.
    /// </summary>
    public int BlockRows { get; }

    /// <summary>The part's first step of the depth.</summary>
    public int FirstStep { get; init; }

    public int StepCount { get; init; }

    /// <summary>The first step of the depth of the chain that is computed, whose sums begin at 0.</summary>
    public int ChainBegin { get; init; }

    /// <summary>The step after the chain's last.</summary>
    public int ChainEnd { get; init; }

    /// <summary>Steps of the depth after which the next part of the strips is begun. Each part reads and writes the sums once more.</summary>
    public int BlockDepth => SpansAllStrips ? StepsOfOwnPart : PartLength / StripWidth;

    /// <summary>Rows of a tile; the last ones may have fewer (<see cref="RowsOfTile"/>).</summary>
    public static int TileRows => VectorLength == 16 ? HighTile : LowTile;

    /// <summary>Columns of a strip of B; in the last one some may not exist.</summary>
    public static int StripWidth => 2 * VectorLength;

    public int Strips => (Shape.Columns + StripWidth - 1) / StripWidth;

    public int StripLength => StepCount * StripWidth;

    /// <summary>
    /// Strips that are packed together: numbers of several lie side by side in each step, unless B is stored transposed; and one row
    /// reads several at once.
    /// </summary>
    public int RightGroupStrips => Shape.TransposeRight && Shape.Rows > 1 ? 1 : 4;

    public int RightGroups => (Strips + RightGroupStrips - 1) / RightGroupStrips;

    public int RightCount => Shape.SharedRight ? 1 : Shape.Batch;

    /// <summary>
    /// One row is its own strip; a transposed A holds the rows of a step side by side as a strip does; and low tiles read rows as they lie no
    /// more slowly than a strip, so that packing has to be repaid by its shorter way through the caches.
    /// </summary>
    public bool IsLeftInPlace => Shape.Rows == 1 || (Shape.TransposeLeft
        ? Shape.Rows <= TileRows || (Strips <= StripsReadInPlace && !HasCollidingSteps)
        : TileRows == LowTile && Strips <= StripsOfRowsInPlace && !IsRightInPlace);

    /// <summary>
    /// Whether a block is all strips of B, since they are few. Its rows of A are packed a part of the depth at a time then, and
    /// so stay in the nearest caches.
    /// </summary>
    public bool SpansAllStrips { get; }

    /// <summary>How many blocks lie side by side.</summary>
    public int ColumnBlocks => (Strips + BlockStrips - 1) / BlockStrips;

    /// <summary>Strips of a block.</summary>
    public int BlockStrips => SpansAllStrips ? Strips : Shape.Rows == 1 ? RowKernel.Strips : 1;

    /// <summary>Steps of a transposed A that are whole pages apart evict each other from the caches before the next tile reads them.</summary>
    private bool HasCollidingSteps => Shape.Rows % PageLength == 0 && Shape.Depth > StepsOfOwnPart;

    /// <summary>B as it lies holds the columns of a step side by side; a single tile would read a packed one only once.</summary>
    public bool IsRightInPlace => !Shape.TransposeRight && Shape.Rows <= TileRows && Shape.Columns % StripWidth == 0;

    /// <summary>
    /// Whether each thread packs what it reads of B (<see cref="OwnPacking"/>): all, if B is small, or its own strips, if each
    /// is read once.
    /// </summary>
    public bool IsRightPackedByThread => !IsRightInPlace && (IsRightReadOnce || Strips * StripLength <= MostOwnNumbers);

    /// <summary>Groups of strips that a thread keeps packed: one after the other if each is read once.</summary>
    public int OwnRightGroups => IsRightReadOnce ? 1 : RightGroups;

    /// <summary>Blocks of A that a thread keeps packed: one after the other, or all, if several products of a batch read them.</summary>
    public int OwnLeftBlocks =>
        Shape.SharedLeft && Shape.Batch > 1 && !SpansAllStrips && (long)Shape.Rows * StepCount <= MostSharedNumbers ? RowBlocks : 1;

    private bool IsRightReadOnce => RowBlocks == 1 && (!Shape.SharedRight || Shape.Batch == 1);

    /// <summary>
    /// A multiply-add over a vector costs about as much as copying one: two operations for each element. Fewer than
    /// four rows take as long as four, since each sum waits for its last multiply-add.
    /// </summary>
    public int WorkPerBlock =>
        (int)Math.Min(int.MaxValue, (long)Math.Max(BlockRows, 4) * StepCount * Math.Min(Shape.Columns, StripWidth * BlockStrips) / VectorLength);

    /// <summary>
    /// The rows of the next tile, if so many are left. Where the last low tile would have few, the last two share what they have: 8 rows are
    /// 4 and 4, not 6 and 2. Tiles between 8 and 12 rows there are none, so high ones are left as they are.
    /// </summary>
    /// <param name="left">How many rows are left.</param>
    public static int RowsOfTile(int left) =>
        TileRows == LowTile && left > LowTile && left <= LowTile + FewRows ? (left + 1) / 2 : Math.Min(left, TileRows);

    /// <summary>The rows of a block's tiles that have all <see cref="TileRows"/> rows.</summary>
    /// <param name="rows">The rows of the block.</param>
    public static int RowsOfWholeTiles(int rows)
    {
        int whole = rows - (rows % TileRows);
        return whole > 0 && RowsOfTile(TileRows + rows - whole) < TileRows ? whole - TileRows : whole;
    }

    /// <summary>
    /// How many rows of a block have few columns computed one by one (<see cref="ColumnKernel"/>): those of whole tiles, if there are enough
    /// to hide a sum's latency, the more the more columns there are, and if a vector holds the rows of one.
    /// </summary>
    public static int RowsOfColumns(int rows, int columns)
    {
        bool isFew = columns <= VectorLength / PartOfVectorAlone;
        return isFew && rows >= Math.Max(2, columns - 1) * TileRows && TileRows <= VectorLength ? RowsOfWholeTiles(rows) : 0;
    }

    /// <summary>
    /// From a row of packed A to the next: its steps, and a few more where strips would otherwise lie whole pages apart. Packing
    /// writes to the strips of all tiles in turn, and more lines than a place in the cache holds would evict each other between two steps.
    /// </summary>
    /// <param name="steps">How many steps are packed.</param>
    public static int PackedRowLength(int steps) => TileRows * steps % PageLength == 0 ? steps + StepsBetweenStrips : steps;

    /// <summary>Packs rows of A, tile by tile. A tile with fewer rows is a narrower strip.</summary>
    public void PackLeft(ArraySegment<float> left, int product, int row, int rows, int step, int steps, Span<float> strips)
    {
        ReadOnlySpan<float> source = left.AsSpan(LeftStart(product));
        int rowLength = PackedRowLength(steps);
        if (Shape.TransposeLeft)
        {
            for (int done = 0, lines; done < rows; done += lines)
            {
                // Whole tiles together, since a step's numbers of all of them lie side by side; then each lower one.
                lines = Math.Max(RowsOfWholeTiles(rows - done), RowsOfTile(rows - done));
                int width = Math.Min(lines, TileRows);
                OperandPacking.Copy(
                    source[((step * Shape.Rows) + row + done)..], Shape.Rows, lines, steps, strips[(done * rowLength)..], width, width * rowLength);
            }

            return;
        }

        for (int done = 0, lines; done < rows; done += lines)
        {
            lines = RowsOfTile(rows - done);
            OperandPacking.Transpose(
                source[(((row + done) * Shape.Depth) + step)..], Shape.Depth, lines, steps, strips.Slice(done * rowLength, lines * steps), lines);
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
                source[((FirstStep * Shape.Columns) + column)..], Shape.Columns, columns, StepCount, strips, StripWidth, StripLength);
            return;
        }

        for (int start = 0; start < columns; start += StripWidth)
        {
            int lines = Math.Min(StripWidth, columns - start);
            Span<float> strip = strips.Slice(start * StepCount, StripLength);
            if (lines < StripWidth)
            {
                strip.Clear();
            }

            OperandPacking.Transpose(source[(((column + start) * Shape.Depth) + FirstStep)..], Shape.Depth, lines, StepCount, strip, StripWidth);
        }
    }

    /// <summary>Where the product's A begins.</summary>
    public int LeftStart(int product) => Shape.SharedLeft ? 0 : product * Shape.Rows * Shape.Depth;

    /// <summary>Where the product's B begins.</summary>
    public int RightStart(int product) => Shape.SharedRight ? 0 : product * Shape.Depth * Shape.Columns;
}
