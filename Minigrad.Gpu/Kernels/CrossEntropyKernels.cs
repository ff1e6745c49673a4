using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>Cross-entropy of rows of logits with class labels, after a row's sums are known.</summary>
internal static class CrossEntropyKernels
{
    /// <summary>The loss of one row.</summary>
    public static void Losses(Index1D row, CrossEntropyArguments arguments, ArrayView<float> losses)
    {
        int label = arguments.Labels[row];
        float loss = 0f;
        if (label >= 0)
        {
            // Choosing, not multiplying: what does not count must not turn an infinite logarithm into NaN.
            float labelShare = arguments.LabelShare * Weight(arguments, label);
            if (labelShare != 0f)
            {
                loss = -labelShare * LogProbability(arguments, row, label);
            }

            if (arguments.ClassShare != 0f)
            {
                float sum = 0f;
                for (int column = 0; column < arguments.Columns; column++)
                {
                    sum += Weight(arguments, column) * LogProbability(arguments, row, column);
                }

                loss -= arguments.ClassShare * sum;
            }
        }

        losses[row] = loss;
    }

    /// <summary>The gradient of one logit.</summary>
    public static void Gradient(
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
            float labelShare = arguments.LabelShare * Weight(arguments, label);
            if (labelShare != 0f || arguments.ClassShare != 0f)
            {
                float total = labelShare + (arguments.ClassShare * arguments.TotalWeight);
                float target = arguments.ClassShare * Weight(arguments, column);
                if (column == label)
                {
                    target += labelShare;
                }

                Scalar logit = new(arguments.X[i]);
                slope = Row(arguments, row).Slope(logit, new Scalar(target), total, gradient[row * gradientStride] / divisor).Value;
            }
        }

        result[i] = slope;
    }

    private static float Weight(CrossEntropyArguments arguments, int column) =>
        arguments.HasWeights == 0 ? 1f : arguments.Weights[column];

    private static float LogProbability(CrossEntropyArguments arguments, int row, int column) =>
        Row(arguments, row).LogProbability(new Scalar(arguments.X[(row * arguments.Columns) + column])).Value;

    private static NormalizedRow Row(CrossEntropyArguments arguments, int row) =>
        new(arguments.Normalizers[row], arguments.Normalizers[arguments.Labels.Length + row]);
}
