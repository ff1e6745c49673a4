using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Kernels that move numbers without changing them, or only add them up.</summary>
internal static class CopyKernels
{
    /// <summary>Copies element <paramref name="i"/> of a block between two strided layouts.</summary>
    public static void Strided(
        Index1D i, StridedBlock block, int source, ArrayView<float> x, int target, ArrayView<float> y)
    {
        int rest = i;
        Step(ref rest, block.Last, ref source, ref target);
        Step(ref rest, block.Second, ref source, ref target);
        Step(ref rest, block.Third, ref source, ref target);
        Step(ref rest, block.Fourth, ref source, ref target);
        Step(ref rest, block.Fifth, ref source, ref target);
        Step(ref rest, block.Sixth, ref source, ref target);
        Step(ref rest, block.Seventh, ref source, ref target);
        Step(ref rest, block.Eighth, ref source, ref target);
        y[target] = x[source];
    }

    /// <summary>y[r, :] = x[rows[r], :].</summary>
    public static void Gather(Index1D i, ArrayView<float> x, ArrayView<int> rows, int width, ArrayView<float> y) =>
        y[i] = x[(rows[i / width] * width) + (i % width)];

    /// <summary>
    /// Adds rows of x to rows of a table. The rows that go to one row of the table are a segment of
    /// <paramref name="order"/>, and one thread a column adds them one after another, so that sums repeat bit by bit.
    /// </summary>
    public static void ScatterAdd(
        Index1D i,
        ArrayView<float> x,
        ArrayView<int> order,
        ArrayView<int> starts,
        ArrayView<int> targets,
        int width,
        ArrayView<float> y)
    {
        int segment = i / width;
        int column = i % width;
        int place = (targets[segment] * width) + column;
        float sum = y[place];
        for (int k = starts[segment]; k < starts[segment + 1]; k++)
        {
            sum += x[(order[k] * width) + column];
        }

        y[place] = sum;
    }

    private static void Step(ref int rest, StridedDimension dimension, ref int source, ref int target)
    {
        int index = rest % dimension.Size;
        rest /= dimension.Size;
        source += index * dimension.From;
        target += index * dimension.To;
    }
}
