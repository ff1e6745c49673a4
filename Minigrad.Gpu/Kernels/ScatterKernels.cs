using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Adds rows to a table without atomics, whose order would differ from run to run: the host tells which rows go to the same place
/// of the table (<see cref="RowGroups"/>), and a group of threads adds up those of one place.
/// </summary>
internal static class ScatterKernels
{
    /// <summary>y[rows[r], :] += x[r, :].</summary>
    public static void Add(ScatterArguments shape, ArrayView<float> x, ArrayView<int> rows, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int blocks = (shape.Width + shape.Lanes - 1) / shape.Lanes;
        int column = (Grid.IdxX % blocks * shape.Lanes) + (Group.IdxX & (shape.Lanes - 1));
        int start = (2 * shape.Count) + (Grid.IdxX / blocks);
        int first = shape.Count + rows[start];
        int end = shape.Count + rows[start + 1];
        Scalar sum = 0f;
        if (column < shape.Width)
        {
            for (int place = first + (Group.IdxX / shape.Lanes); place < end; place += Group.DimX / shape.Lanes)
            {
                sum += new Scalar(x[(rows[place] * shape.Width) + column]);
            }
        }

        sum = GroupTree.Combine(default(Sum), shared, sum, shape.Lanes);
        if (Group.IdxX < shape.Lanes && column < shape.Width)
        {
            y[(rows[rows[first]] * shape.Width) + column] += sum.Value;
        }
    }
}
