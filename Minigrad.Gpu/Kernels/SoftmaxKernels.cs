using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Softmax along an axis and cross-entropy of rows, a group a line: it is read from memory once, and from the nearest cache after
/// that. Its largest value and its sum are trees over the threads, so their bits repeat.
/// </summary>
internal static class SoftmaxKernels
{
    /// <summary>y = softmax(x), or x − m − ln Σ e^(x − m) for its logarithm. y may be x.</summary>
    public static void Softmax(int axis, int inner, int logarithm, ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int start = (Grid.IdxX / inner * axis * inner) + (Grid.IdxX % inner);
        Scalar shift = LargestOf(x, start, axis, inner, shared);
        Scalar sum = 0f;
        for (int a = Group.IdxX; a < axis; a += Group.DimX)
        {
            int i = start + (a * inner);
            Scalar exponential = Scalar.Exp(new Scalar(x[i]) - shift);
            sum += exponential;
            if (logarithm == 0)
            {
                y[i] = exponential.Value;
            }
        }

        sum = GroupTree.Combine(default(Sum), shared, sum, 1);
        NormalizedRow<Scalar> row = new(shift, Scalar.Log(sum));
        for (int a = Group.IdxX; a < axis; a += Group.DimX)
        {
            int i = start + (a * inner);
            Scalar result;
            if (logarithm == 0)
            {
                result = new Scalar(y[i]) / sum;
            }
            else
            {
                result = row.LogProbability(new Scalar(x[i]));
            }

            y[i] = result.Value;
        }
    }

    /// <summary>The gradient of <see cref="Softmax"/> from its output: y · (g − Σ g·y), or g − eʸ · Σ g.</summary>
    public static void SoftmaxBackward(
        int axis, int inner, int logarithm, ArrayView<float> y, ArrayView<float> gradient, ArrayView<float> result)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int start = (Grid.IdxX / inner * axis * inner) + (Grid.IdxX % inner);
        Scalar sum = 0f;
        for (int a = Group.IdxX; a < axis; a += Group.DimX)
        {
            int i = start + (a * inner);
            Scalar term = new(gradient[i]);
            if (logarithm == 0)
            {
                term *= new Scalar(y[i]);
            }

            sum += term;
        }

        sum = GroupTree.Combine(default(Sum), shared, sum, 1);
        for (int a = Group.IdxX; a < axis; a += Group.DimX)
        {
            int i = start + (a * inner);
            Scalar output = new(y[i]);
            Scalar slope;
            if (logarithm == 0)
            {
                slope = output * (new Scalar(gradient[i]) - sum);
            }
            else
            {
                slope = new Scalar(gradient[i]) - (Scalar.Exp(output) * sum);
            }

            result[i] = slope.Value;
        }
    }

    /// <summary>The cross-entropy of each row with its label, and what its gradient will need.</summary>
    public static void CrossEntropy(CrossEntropyArguments arguments, ArrayView<float> losses)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(GroupTree.Capacity);
        int row = Grid.IdxX;
        int start = row * arguments.Columns;
        int end = start + arguments.Columns;
        Scalar shift = LargestOf(arguments.X, start, arguments.Columns, 1, shared);
        Scalar sum = 0f;
        Scalar weighted = 0f;
        for (int i = start + Group.IdxX; i < end; i += Group.DimX)
        {
            Scalar shifted = new Scalar(arguments.X[i]) - shift;
            sum += Scalar.Exp(shifted);
            if (arguments.ClassShare != 0f)
            {
                weighted += arguments.Weight(i - start) * shifted;
            }
        }

        sum = GroupTree.Combine(default(Sum), shared, sum, 1);
        weighted = GroupTree.Combine(default(Sum), shared, weighted, 1);
        if (Group.IdxX == 0)
        {
            Scalar logarithm = Scalar.Log(sum);
            arguments.Normalizers[row] = shift.Value;
            arguments.Normalizers[arguments.Rows + row] = logarithm.Value;
            losses[row] = Loss(arguments, row, new NormalizedRow<Scalar>(shift, logarithm), (weighted - (arguments.TotalWeight * logarithm)).Value);
        }
    }

    /// <summary>The gradient of one logit.</summary>
    public static void CrossEntropyBackward(
        Index1D i,
        CrossEntropyArguments arguments,
        ArrayView<float> gradient,
        int gradientStride,
        float divisor,
        ArrayView<float> result)
    {
        int row = i / arguments.Columns;
        int column = i % arguments.Columns;
        int label = arguments.Labels[row];
        float slope = 0f;
        if (label >= 0)
        {
            float labelShare = arguments.LabelShare * arguments.Weight(label);
            if (labelShare != 0f || arguments.ClassShare != 0f)
            {
                float total = labelShare + (arguments.ClassShare * arguments.TotalWeight);
                float target = arguments.ClassShare * arguments.Weight(column);
                if (column == label)
                {
                    target += labelShare;
                }

                NormalizedRow<Scalar> normalized = new(arguments.Normalizers[row], arguments.Normalizers[arguments.Rows + row]);
                Scalar logit = new(arguments.X[i]);
                slope = normalized.Slope(logit, new Scalar(target), total, gradient[row * gradientStride] / divisor).Value;
            }
        }

        result[i] = slope;
    }

    /// <summary>The loss of a row; <paramref name="weighted"/> is Σ w · ln p over all classes.</summary>
    private static float Loss(CrossEntropyArguments arguments, int row, NormalizedRow<Scalar> normalized, float weighted)
    {
        int label = arguments.Labels[row];
        float loss = 0f;
        if (label >= 0)
        {
            // Choosing, not multiplying: what does not count must not turn an infinite logarithm into NaN.
            float labelShare = arguments.LabelShare * arguments.Weight(label);
            if (labelShare != 0f)
            {
                Scalar logit = new(arguments.X[(row * arguments.Columns) + label]);
                loss = -labelShare * normalized.LogProbability(logit).Value;
            }

            if (arguments.ClassShare != 0f)
            {
                loss -= arguments.ClassShare * weighted;
            }
        }

        return loss;
    }

    private static Scalar LargestOf(ArrayView<float> x, int start, int axis, int inner, ArrayView<float> shared)
    {
        Scalar largest = float.NegativeInfinity;
        for (int a = Group.IdxX; a < axis; a += Group.DimX)
        {
            largest = Scalar.Max(largest, new Scalar(x[start + (a * inner)]));
        }

        return GroupTree.Combine(default(Largest), shared, largest, 1);
    }
}
