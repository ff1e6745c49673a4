using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Walks of rows through many steps, as of sequences through a recurrent layer. Each thread takes some rows through all steps:
/// so threads wait for each other once in a walk, not twice at each step, each packs its own rows, and what a step leaves for
/// the next one is in that thread's caches. In exchange each thread reads the whole right operand of a step's product, not its
/// share of it, and has fewer rows to use each number for.
/// </summary>
/// <remarks>
/// An element of a product has the same bits whatever other rows there are, and a cell sees one row. So the rows may be cut by the
/// number of threads, and no bit depends on it. The right operand is packed before the first step, by all threads, also where a
/// product of few rows would read it in place.
/// </remarks>
internal static class RowWalks
{
    /// <summary>Fewer rows take as long as these, since each sum waits for its last multiply-add. Ranges begin at a multiple of it.</summary>
    private const int FewestRows = 4;

    /// <summary>The most numbers of a right operand: 16 MB, which a cache holds that the cores share. More come from memory.</summary>
    private const int MostNumbers = 1 << 22;

    /// <summary>With fewer steps for a row it is not repaid to pack the right operand beforehand.</summary>
    private const int FewestSteps = 4;

    /// <summary>Runs a walk.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="product">The product that all rows together make at a step.</param>
    /// <param name="right">Its right operand.</param>
    /// <param name="kept">Where that is kept packed.</param>
    /// <param name="walk">The walk.</param>
    public static void Run<TWalk>(
        Workers workers, MatrixProductShape product, ArraySegment<float> right, PackedOperand kept, TWalk walk)
        where TWalk : struct, IRowWalk
    {
        if (product.Rows == 0)
        {
            return; // An empty batch; a plan for a product without rows does not exist.
        }

        long steps = walk.StepsBefore(product.Rows);
        if (steps < (long)FewestSteps * product.Rows)
        {
            walk.Run(0, product.Rows);
            return;
        }

        MatrixProduct.KeepPacked(workers, product, right, kept);
        int ranges = RangeCount(workers, product, steps);
        workers.For(ranges, int.MaxValue, new Body<TWalk>(walk, product.Rows, ranges));
    }

    /// <summary>One range for each thread, or one for all if a step's own loops have work for more threads than rows have.</summary>
    private static int RangeCount(Workers workers, MatrixProductShape product, long steps)
    {
        if ((long)product.Depth * product.Columns > MostNumbers)
        {
            return 1;
        }

        // As in a product, and for the cell about as much as one more vector of the depth.
        long rowWork = (long)product.Columns * (product.Depth + MatrixProductPlan.VectorLength) / MatrixProductPlan.VectorLength;
        int threads = Math.Min((product.Rows + FewestRows - 1) / FewestRows, ThreadsFor(workers, steps * rowWork));
        return threads < ThreadsFor(workers, product.Rows * rowWork) ? 1 : Math.Max(1, threads);
    }

    private static int ThreadsFor(Workers workers, long work) => (int)Math.Min(workers.ThreadCount, work / Workers.Grain);

    private readonly struct Body<TWalk>(TWalk walk, int rows, int ranges) : ILoopBody
        where TWalk : struct, IRowWalk
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            (int first, int end) = (Start(item), Start(item + 1));
            if (first < end)
            {
                walk.Run(first, end);
            }
        }

        /// <summary>Where a range begins: ranges have about equally many steps.</summary>
        private int Start(int range)
        {
            long share = walk.StepsBefore(rows) * range / ranges;
            int low = 0;
            int high = (rows + FewestRows - 1) / FewestRows;
            while (low < high)
            {
                int middle = (low + high) / 2;
                bool isEnough = walk.StepsBefore(Math.Min(rows, middle * FewestRows)) >= share;
                (low, high) = isEnough ? (low, middle) : (middle + 1, high);
            }

            return Math.Min(rows, low * FewestRows);
        }
    }
}
