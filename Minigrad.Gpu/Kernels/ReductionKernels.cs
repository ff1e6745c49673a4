using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Loops along an axis, one thread an output. A reduction is a tree whose shape follows from the axis alone, so its bits
/// repeat on every run and every device, and rounding errors grow with the logarithm of the axis.
/// </summary>
internal static class ReductionKernels
{
    /// <summary>
    /// The first level: partial result (o, p, i) combines the terms of x[o, p, i], x[o, p + partials, i], … — a stride
    /// that lets neighbouring threads read neighbouring elements.
    /// </summary>
    public static void ReduceTerms<TReduction>(
        Index1D output, TReduction reduction, ArrayView<float> x, int axis, int inner, int partials, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int column = output % inner;
        int place = output / inner;
        int start = place / partials * axis;
        Scalar total = new(reduction.Initial);
        for (int a = place % partials; a < axis; a += partials)
        {
            total = reduction.Combine(total, reduction.Term(new Scalar(x[((start + a) * inner) + column])));
        }

        y[output] = total.Value;
    }

    /// <summary>The further levels: the same over partial results, whose terms were taken already.</summary>
    public static void ReducePartials<TReduction>(
        Index1D output, TReduction reduction, ArrayView<float> x, int axis, int inner, int partials, ArrayView<float> y)
        where TReduction : unmanaged, IReduction
    {
        int column = output % inner;
        int place = output / inner;
        int start = place / partials * axis;
        Scalar total = new(reduction.Initial);
        for (int a = place % partials; a < axis; a += partials)
        {
            total = reduction.Combine(total, new Scalar(x[((start + a) * inner) + column]));
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
        float total = 0f;
        int place = first;
        for (int count = 0; count < axis; count++)
        {
            total = x[start + (place * inner)] + total;
            y[start + (place * inner)] = total;
            place += step;
        }
    }
}
