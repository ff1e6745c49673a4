using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Kernels that move numbers without changing them.</summary>
internal static class CopyKernels
{
    /// <summary>y = x.</summary>
    public static void Contiguous(Index1D i, ArrayView<float> x, ArrayView<float> y) => y[i] = x[i];

    /// <summary>Copies element <paramref name="i"/> of a block between two strided layouts.</summary>
    public static void Strided(
        Index1D i, StridedBlock block, int source, ArrayView<float> x, int target, ArrayView<float> y)
    {
        int rest = i;
        Step(ref rest, block.Last, ref source, ref target);
        Step(ref rest, block.Second, ref source, ref target);
        if (block.Rank > 2)
        {
            Step(ref rest, block.Third, ref source, ref target);
            Step(ref rest, block.Fourth, ref source, ref target);
        }

        if (block.Rank > 4)
        {
            Step(ref rest, block.Fifth, ref source, ref target);
            Step(ref rest, block.Sixth, ref source, ref target);
            Step(ref rest, block.Seventh, ref source, ref target);
            Step(ref rest, block.Eighth, ref source, ref target);
        }

        y[target] = x[source];
    }

    /// <summary>y[r, :] = x[rows[r], :].</summary>
    public static void Gather(Index1D i, ArrayView<float> x, ArrayView<int> rows, int width, ArrayView<float> y) =>
        y[i] = x[(rows[i / width] * width) + (i % width)];

    private static void Step(ref int rest, StridedDimension dimension, ref int source, ref int target)
    {
        int index = rest % dimension.Size;
        rest /= dimension.Size;
        source += index * dimension.From;
        target += index * dimension.To;
    }
}
