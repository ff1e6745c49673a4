using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>
/// How many roundings a term passes at most on its way through the sums of a normalisation, from its first addition up to the sum
/// in float32.
/// </summary>
/// <param name="Statistics">In the sums of a group's numbers and squares.</param>
/// <param name="Gradients">In the sums over a group that the gradient of x takes.</param>
/// <param name="Weights">In the gradients of weight and bias.</param>
/// <remarks>
/// A chain of n numbers is n − 1 additions, since adding to 0 rounds nothing. Below w is the width of a vector, 4, 8 or 16, of which
/// the worst is taken. What is added in double precision, by the loops or by a test that holds them against it, counts as one
/// rounding: it would take 2²⁸ terms to be as far off.
/// </remarks>
internal sealed record NormalizationDepths(int Statistics, int Gradients, int Weights)
{
    /// <summary>The CPU's loops.</summary>
    public static NormalizationDepths OnCpu(in NormalizationShape shape)
    {
        if (shape.IsWeightPerGroup && shape.Inner == 1)
        {
            int ofColumn = OfRows(shape.Outer);
            return new(ofColumn, ofColumn, ofColumn);
        }

        // Statistics cut a run into blocks. Of n numbers in a block each lane has two chains, at most n / 2w long; then come the two
        // together, a last whole vector, the tail, and the w lanes: n / 2w + w + 1, at most n / 8 + 17. The blocks of all runs are
        // added in double precision, and that is rounded.
        int ofBlocks = (Math.Min(shape.Inner, NormalizationLoops.RunBlock) / 8) + 19;

        // Gradients have a chain of n / w in each lane of a run of n, the tail and the lanes: n / w + w − 1, at most n / 4 + 15. The
        // runs are added in double precision, and that is rounded.
        int ofRuns = (shape.Inner / 4) + 17;
        return new(ofBlocks, ofRuns, shape.IsWeightPerGroup ? ofRuns : OfRows(shape.Groups));
    }

    /// <summary>
    /// A device: of n numbers a thread adds every p-th, and a tree adds p of these, n / p + log₂ p with p from 4 to 256.
    /// </summary>
    public static NormalizationDepths OnDevice(in NormalizationShape shape)
    {
        int ofGroup = OfThreads(shape.GroupLength);
        return new(ofGroup, ofGroup, shape.IsWeightPerGroup ? ofGroup : OfThreads(shape.Groups));
    }

    /// <summary>
    /// Down the rows of a matrix: sums of blocks of R rows, and their sum. A chain of m terms is m − 1 additions; two chains, the two
    /// together and an odd term are m / 2 + 1, at most m. One of the two sums at most is of the second kind, so R + n / R covers all.
    /// One more is a test's double precision.
    /// </summary>
    private static int OfRows(int rows) => Math.Min(rows, NormalizationColumns.RowBlock) + (rows / NormalizationColumns.RowBlock) + 1;

    private static int OfThreads(int terms) => ((terms + 3) / 4) + 8;
}
