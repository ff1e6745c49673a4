namespace Minigrad.Backends.Cpu;

/// <summary>
/// What a thread has packed of the operands of the product that it computes, one at a time: a block of A, and strips of B.
/// Threads pack what they read themselves, though some is packed twice then: a line of the cache that another processor has
/// read takes ten times as long to write as one of a thread's own, or forty times where the two share no cache (measured: 8
/// and 35 ns in place of 0.8), and a loop that packs for all has an end to wait for.
/// </summary>
internal sealed class OwnPacking
{
    /// <summary>How many products a thread numbers before it takes further numbers.</summary>
    private const long NumbersAtOnce = 1 << 20;

    private static long numbersTaken;

    [ThreadStatic]
    private static OwnPacking? current;

    [ThreadStatic]
    private static long lastNumber;

    private AlignedBuffer left = new(0);
    private AlignedBuffer right = new(0);
    private (long Product, int Block, int FirstStep)[] leftBlocks = [];
    private (long Product, int Group)[] rightGroups = [];

    /// <summary>This thread's.</summary>
    public static OwnPacking Current => current ??= new OwnPacking();

    /// <summary>A number that no other product of the process has, so that what was packed for one is not taken for another's.</summary>
    public static long NextProduct()
    {
        if (lastNumber % NumbersAtOnce == 0)
        {
            lastNumber = Interlocked.Add(ref numbersTaken, NumbersAtOnce);
        }

        return ++lastNumber;
    }

    /// <summary>Rows of a block of A, packed tile by tile, which serve the block's next strip as well.</summary>
    /// <param name="number">The product's number.</param>
    /// <param name="plan">How it is cut.</param>
    /// <param name="source">A.</param>
    /// <param name="product">Which product of the batch.</param>
    /// <param name="block">Which block of rows.</param>
    /// <param name="firstStep">The first step to pack.</param>
    /// <param name="steps">How many.</param>
    public ArraySegment<float> Left(
        long number, in MatrixProductPlan plan, ArraySegment<float> source, int product, int block, int firstStep, int steps)
    {
        int place = block % plan.OwnLeftBlocks;
        int firstRow = block * plan.BlockRows;
        int rows = Math.Min(plan.BlockRows, plan.Shape.Rows - firstRow);
        int blockLength = plan.BlockRows * MatrixProductPlan.PackedRowLength(steps);
        int start = place * blockLength;
        (long, int, int) wanted = (number, ((plan.Shape.SharedLeft ? 0 : product) * plan.RowBlocks) + block, firstStep);
        if (place >= leftBlocks.Length || leftBlocks[place] != wanted)
        {
            // Longer by a vector, since columns read the last rows as one.
            Reserve(ref left, ref leftBlocks, plan.OwnLeftBlocks, (plan.OwnLeftBlocks * blockLength) + MatrixProductPlan.VectorLength);
            leftBlocks[place] = default;
            plan.PackLeft(source, product, firstRow, rows, plan.FirstStep + firstStep, steps, left.Slice(start, blockLength));
            leftBlocks[place] = wanted;
        }

        return left.Slice(start, left.Length - start);
    }

    /// <summary>A strip of B, packed with those of its group.</summary>
    /// <param name="number">The product's number.</param>
    /// <param name="plan">How it is cut.</param>
    /// <param name="source">B.</param>
    /// <param name="product">Which product of the batch.</param>
    /// <param name="strip">Which strip.</param>
    public ReadOnlySpan<float> Right(long number, scoped in MatrixProductPlan plan, ArraySegment<float> source, int product, int strip)
    {
        int group = strip / plan.RightGroupStrips;
        int firstStrip = group * plan.RightGroupStrips;
        int place = group % plan.OwnRightGroups;
        int start = place * plan.RightGroupStrips * plan.StripLength;
        (long, int) wanted = (number, ((plan.Shape.SharedRight ? 0 : product) * plan.RightGroups) + group);
        if (place >= rightGroups.Length || rightGroups[place] != wanted)
        {
            int length = Math.Min(plan.RightGroupStrips, plan.Strips - firstStrip) * plan.StripLength;
            Reserve(ref right, ref rightGroups, plan.OwnRightGroups, plan.OwnRightGroups * plan.RightGroupStrips * plan.StripLength);
            rightGroups[place] = default;
            plan.PackRight(source, product, firstStrip, right.Slice(start, length));
            rightGroups[place] = wanted;
        }

        return right.Slice(start + ((strip - firstStrip) * plan.StripLength), plan.StripLength);
    }

    /// <summary>Room for packed numbers and their keys; what was packed before is gone if there was less.</summary>
    private static void Reserve<TKey>(ref AlignedBuffer numbers, ref TKey[] keys, int count, int length)
    {
        if (keys.Length < count || numbers.Length < length)
        {
            numbers = numbers.Length < length ? new AlignedBuffer(Math.Max(length, 16384)) : numbers;
            keys = new TKey[Math.Max(count, keys.Length)];
        }
    }
}
