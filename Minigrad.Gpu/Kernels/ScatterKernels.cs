using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Adds rows to a table without atomics, whose order would differ from run to run, and without sorting: of all rows that
/// go to one place of the table, the group of the first adds them up, and the groups of the others have nothing to do.
/// </summary>
internal static class ScatterKernels
{
    /// <summary>
    /// y[rows[r], :] += x[r, :]. Looking for the first takes rows² / threads steps in all, whatever the table's size: 2,000
    /// rows are looked through in microseconds, and a million would take long.
    /// </summary>
    public static void Add(ScatterArguments shape, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int blocks = (shape.Width + shape.Lanes - 1) / shape.Lanes;
        int column = (Grid.IdxX % blocks * shape.Lanes) + (Group.IdxX & (shape.Lanes - 1));
        int own = Grid.IdxX / blocks;
        int target = rows[own];
        Scalar earlier = 0f;
        for (int row = Group.IdxX; row < own; row += Group.DimX)
        {
            if (rows[row] == target)
            {
                earlier = 1f;
            }
        }

        // The same in all threads, so that all or none go on to wait for each other.
        if (GroupTree.Combine(default(Largest), shared, earlier, 1).Value == 1f)
        {
            return;
        }

        Scalar sum = 0f;
        if (column < shape.Width)
        {
            for (int row = own + (Group.IdxX / shape.Lanes); row < rows.IntLength; row += Group.DimX / shape.Lanes)
            {
                if (rows[row] == target)
                {
                    sum += new Scalar(x[(row * shape.Width) + column]);
                }
            }
        }

        sum = GroupTree.Combine(default(Sum), shared, sum, shape.Lanes);
        if (Group.IdxX < shape.Lanes && column < shape.Width)
        {
            y[(target * shape.Width) + column] += sum.Value;
        }
    }
}
