using Minigrad.Backends;

namespace Minigrad.Gpu;

/// <summary>How a matrix product is cut for a device: the kernel, its tile, and into how many parts the depth is split.</summary>
/// <param name="IsSliced">Whether threads hold 4 × 4 elements in slices along the depth, and not 8 × 8.</param>
/// <param name="Side">A tile is made by side × side threads.</param>
/// <param name="Slices">How many slices a group has.</param>
/// <param name="Splits">Into how many parts the depth is split; if there are several, a second pass adds them.</param>
internal readonly record struct ProductPlan(bool IsSliced, int Side, int Slices, int Splits)
{
    // Clock cycles, roughly, on a GPU of 2020 to 2023. They only have to order the candidates.
    private const double SecondPass = 6000;
    private const double Start = 1500;
    private const double NumbersPerCycle = 400; // Of a device's memory or last cache.
    private const int MostSplits = 32;
    private const int SmallestPart = 64;

    /// <summary>The most steps of the depth that one sum adds up, as on the CPU; and the most sums of parts that this may make.</summary>
    private const int LongestChain = 4096;

    private const int MostSums = 1 << 26;

    /// <summary>8 × 8 elements a thread; 128 × 128 elements a group.</summary>
    private static readonly ProductPlan Blocked = new(IsSliced: false, 16, 1, 1);

    /// <summary>4 × 4 elements a thread; 64 × 64 elements a group.</summary>
    private static readonly ProductPlan Unsliced = new(IsSliced: true, 16, 1, 1);

    /// <summary>4 × 4 elements a thread; 32 × 32 elements a group, whose slices share the depth.</summary>
    private static readonly ProductPlan Sliced = new(IsSliced: true, 8, 4, 1);

    /// <summary>How many rows and columns a tile has.</summary>
    public int Tile => (IsSliced ? 4 : 8) * Side;

    /// <summary>How many threads a group has.</summary>
    public int GroupSize => Side * Side * Slices;

    /// <summary>How many steps of the depth a group takes at once: a split begins at a multiple of it.</summary>
    public int DepthStep => IsSliced ? Side * Slices : Side / 2;

    /// <summary>The multiply-adds that a multiprocessor makes in a cycle when it has enough groups.</summary>
    private double Throughput => (IsSliced, Side) switch
    {
        (false, _) => 96,
        (true, 16) => 56,
        _ => 36,
    };

    /// <summary>The plan that should take least time; it follows from the shape and the device alone.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="multiprocessors">How many multiprocessors the device has.</param>
    public static ProductPlan Choose(MatrixProductShape shape, int multiprocessors)
    {
        ProductPlan best = default;
        double least = double.PositiveInfinity;
        foreach (ProductPlan tile in (ReadOnlySpan<ProductPlan>)[Blocked, Unsliced, Sliced])
        {
            for (int splits = 1; splits <= MostSplits && (splits == 1 || shape.Depth >= splits * SmallestPart); splits *= 2)
            {
                ProductPlan plan = tile with { Splits = splits };
                double cycles = plan.Cycles(shape, multiprocessors);
                if (cycles < least)
                {
                    (best, least) = (plan, cycles);
                }
            }
        }

        return best;
    }

    /// <summary>A plan for the CPU accelerator, which takes each kernel now and then, with tiles of a few elements.</summary>
    /// <param name="shape">The product.</param>
    public static ProductPlan Emulated(MatrixProductShape shape) => shape.Rows > 8
        ? new ProductPlan(IsSliced: false, 2, 1, 1)
        : new ProductPlan(IsSliced: true, 2, 2, shape.Depth > 16 ? 2 : 1);

    /// <summary>
    /// The plan with so many splits that a great depth is made of sums of <see cref="LongestChain"/> steps, whose error is about that of
    /// one; or of as few steps as there is room for sums.
    /// </summary>
    /// <param name="shape">The product.</param>
    public ProductPlan InChains(MatrixProductShape shape)
    {
        long outputs = (long)shape.Batch * shape.Rows * shape.Columns;
        long splits = Math.Min(((shape.Depth - 1) / LongestChain) + 1, MostSums / outputs);
        return this with { Splits = Math.Max(Splits, (int)splits) };
    }

    /// <summary>How long a part of the depth is, but for the last.</summary>
    /// <param name="depth">The depth.</param>
    public int SplitDepth(int depth)
    {
        int part = ((depth - 1) / Splits) + 1;
        return (part + DepthStep - 1) / DepthStep * DepthStep;
    }

    /// <summary>How many tiles cover the results of a batch.</summary>
    /// <param name="shape">The product.</param>
    public int Tiles(MatrixProductShape shape) =>
        ((shape.Rows + Tile - 1) / Tile) * ((shape.Columns + Tile - 1) / Tile) * shape.Batch;

    /// <summary>How long the product takes, roughly, in cycles of a multiprocessor.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="multiprocessors">How many multiprocessors the device has.</param>
    public double Cycles(MatrixProductShape shape, int multiprocessors)
    {
        double rounds = Math.Ceiling((double)Tiles(shape) * Splits / multiprocessors);
        double cycles = Start + (rounds * Tile * Tile * SplitDepth(shape.Depth) / Throughput);
        double outputs = (double)shape.Batch * shape.Rows * shape.Columns;
        return Splits == 1 ? cycles : cycles + SecondPass + (2 * outputs * Splits / NumbersPerCycle);
    }
}
