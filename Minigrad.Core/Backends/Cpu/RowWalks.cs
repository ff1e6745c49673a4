namespace Minigrad.Backends.Cpu;

/// <summary>
/// Walks of rows through many steps, as of sequences through a recurrent layer. Each thread takes some rows through all steps: so
/// threads wait for each other once in a walk, not twice at each step, each packs its own rows, and what a step leaves for the
/// next one is in that thread's caches. In exchange each thread reads the whole right operand of a step's product, not its
/// share, and has fewer rows to use each number of it for.
/// </summary>
/// <remarks>
/// An element of a product has the same bits among any rows, and a cell sees one row. So rows may be cut by the number of threads,
/// and no number depends on it.
/// </remarks>
internal static class RowWalks
{
    /// <summary>Fewer rows are no lower tile's worth.</summary>
    private const int FewestRows = 8;

    /// <summary>About the most rows of a range: what a step leaves of them stays in a core's caches.</summary>
    private const int MostRows = 48;

    /// <summary>Ranges begin at a multiple of this, the lowest tile that is no slower for each row.</summary>
    private const int RowsApart = 4;

    private const int MostNumbers = 1 << 30;

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
        int ranges = RangeCount(workers, product, walk);
        if (ranges == 1)
        {
            walk.Run(0, product.Rows);
            return;
        }

        MatrixProduct.KeepPacked(workers, product, right, kept);
        workers.For(ranges, int.MaxValue, new Body<TWalk>(walk, product.Rows, ranges));
    }

    private static int RangeCount<TWalk>(Workers workers, MatrixProductShape product, TWalk walk)
        where TWalk : struct, IRowWalk
    {
        long steps = walk.StepsBefore(product.Rows);
        long numbers = (long)product.Depth * product.Columns;
        long work = steps * (product.Depth + (CpuBackend.VectorWidth / 32)) * product.Columns / (CpuBackend.VectorWidth / 32);
        long threads = Math.Min(Math.Min(workers.ThreadCount, product.Rows / FewestRows), work / Workers.Grain);
        if (threads <= 1 || steps < 2 * product.Rows || numbers > MostNumbers)
        {
            return 1;
        }

        return (int)threads * ((product.Rows + (MostRows * (int)threads) - 1) / (MostRows * (int)threads));
    }

    private readonly struct Body<TWalk>(TWalk walk, int rows, int ranges) : ILoopBody
        where TWalk : struct, IRowWalk
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, Numerics.ILanes<TLanes>
        {
            (int first, int end) = (Start(item), Start(item + 1));
            if (first < end)
            {
                walk.Run(first, end);
            }
        }

        /// <summary>The first row of a range: ranges have about equally many steps.</summary>
        private int Start(int range)
        {
            long share = walk.StepsBefore(rows) * range / ranges;
            int low = 0;
            int high = (rows + RowsApart - 1) / RowsApart;
            while (low < high)
            {
                int middle = (low + high) / 2;
                bool isEnough = walk.StepsBefore(Math.Min(rows, middle * RowsApart)) >= share;
                (low, high) = isEnough ? (low, middle) : (middle + 1, high);
            }

            return Math.Min(rows, low * RowsApart);
        }
    }
}
