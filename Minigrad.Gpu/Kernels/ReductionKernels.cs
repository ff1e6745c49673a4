using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Loops along an axis. A reduction is a tree whose shape follows from the axis and the size of a group, so its bits repeat
/// on every run, and rounding errors grow slowly with the axis.
/// </summary>
internal static class ReductionKernels
{
    /// <summary>
    /// A group reduces a chunk of the axis for some columns side by side. Its threads are lanes of columns: those of one
    /// column take turns along the chunk, and what they have is combined in shared memory. Neighbouring threads read
    /// neighbouring elements, be it along a row (one column) or across columns.
    /// </summary>
    public static void Reduce<TReduction>(
        TReduction reduction, ReductionArguments shape, ArrayView<float> x, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int lane = Group.IdxX & (shape.Lanes - 1);
        int blocks = (shape.Inner + shape.Lanes - 1) / shape.Lanes;
        int column = (Grid.IdxX % blocks * shape.Lanes) + lane;
        int line = Grid.IdxX / blocks;
        int chunk = line % shape.Chunks;
        int start = line / shape.Chunks * shape.Axis;
        int end = (chunk + 1) * shape.ChunkLength;
        if (end > shape.Axis)
        {
            end = shape.Axis;
        }

        if (column >= shape.Inner)
        {
            end = 0;
        }

        Scalar total = new(reduction.Initial);
        int first = (chunk * shape.ChunkLength) + (Group.IdxX / shape.Lanes);
        for (int a = first; a < end; a += Group.DimX / shape.Lanes)
        {
            Scalar term = new(x[((start + a) * shape.Inner) + column]);
            if (shape.TakesTerms != 0)
            {
                term = reduction.Term(term);
            }

            total = reduction.Combine(total, term);
        }

        total = GroupTree.Combine(reduction, shared, total, shape.Lanes);
        if (Group.IdxX < shape.Lanes && column < shape.Inner)
        {
            y[(line * shape.Inner) + column] = total.Value;
        }
    }

    /// <summary>A short axis: one thread an output.</summary>
    public static void ReduceShort<TReduction>(
        Index1D output, TReduction reduction, ArrayView<float> x, int axis, int inner, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int start = (output / inner * axis * inner) + (output % inner);
        Scalar total = new(reduction.Initial);
        for (int a = 0; a < axis; a++)
        {
            total = reduction.Combine(total, reduction.Term(new Scalar(x[start + (a * inner)])));
        }

        y[output] = total.Value;
    }

    /// <summary>The place of the first largest sign · x[o, :, i]; a NaN is the largest of all.</summary>
    public static void ArgMax(Index1D output, ArrayView<float> x, int axis, int inner, float sign, ArrayView<int> indices)
    {
        int start = (output / inner * axis * inner) + (output % inner);
        int best = 0;
        float largest = sign * x[start];
        for (int place = 1; place < axis; place++)
        {
            if (float.IsNaN(largest))
            {
                break;
            }

            float value = sign * x[start + (place * inner)];
            if (float.IsNaN(value))
            {
                best = place;
                largest = value;
            }
            else if (value > largest)
            {
                best = place;
                largest = value;
            }
        }

        indices[output] = best;
    }

    /// <summary>y[o, a, i] = Σ x[o, 0..a, i]: one thread walks one line from <paramref name="first"/> by ±1.</summary>
    public static void CumulativeSum(
        Index1D line, ArrayView<float> x, int axis, int inner, int first, int step, ArrayView<float> y)
    {
        int start = (line / inner * axis * inner) + (line % inner);
        RunningSum<Scalar> total = default;
        int place = first;
        for (int count = 1; count <= axis; count++)
        {
            total.Add(x[start + (place * inner)], count);
            y[start + (place * inner)] = total.Value.Value;
            place += step;
        }
    }
}
