using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Softmax and cross-entropy of rows.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void Softmax(Storage x, int rows, int columns, bool logarithm, Storage y)
    {
        if (rows > 0 && columns > 0)
        {
            using Scratch largest = new(pool, rows);
            using Scratch sums = new(pool, rows);
            AxisLayout layout = new(rows, columns, 1);
            OperandView input = new(View(x), x.Length, 1);
            OperandView shift = new(largest.Floats, rows, columns);
            OperandView total = new(sums.Floats, rows, columns);
            Reduce(default(Largest), View(x), layout, largest.Floats);
            if (logarithm)
            {
                // Not in y, which may be x, and x is needed once more.
                using Scratch terms = new(pool, x.Length);
                Zip(default(ShiftedExponential), input, shift, terms.Floats.SubView(0, x.Length));
                Reduce(default(Sum), terms.Floats, layout, sums.Floats);
                Combine(default(LogSoftmaxOfSums), input, shift, total, View(y));
            }
            else
            {
                Zip(default(ShiftedExponential), input, shift, View(y));
                Reduce(default(Sum), View(y), layout, sums.Floats);
                Zip(default(Divide), new OperandView(View(y), y.Length, 1), total, View(y));
            }
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(
        Storage y, Storage gradient, int rows, int columns, bool logarithm, Storage result)
    {
        if (rows > 0 && columns > 0)
        {
            using Scratch sums = new(pool, rows);
            AxisLayout layout = new(rows, columns, 1);
            OperandView output = new(View(y), y.Length, 1);
            OperandView outputGradient = new(View(gradient), gradient.Length, 1);
            OperandView total = new(sums.Floats, rows, columns);
            if (logarithm)
            {
                Reduce(default(Sum), View(gradient), layout, sums.Floats);
                Combine(default(LogSoftmaxSlope), output, outputGradient, total, View(result));
            }
            else
            {
                using Scratch products = new(pool, y.Length);
                Zip(default(Multiply), output, outputGradient, products.Floats.SubView(0, y.Length));
                Reduce(default(Sum), products.Floats, layout, sums.Floats);
                Combine(default(SoftmaxSlope), output, outputGradient, total, View(result));
            }
        }

        KeepAlive(y, gradient, result);
    }

    /// <inheritdoc/>
    public override void CrossEntropy(
        Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses)
    {
        int rows = targets.Labels.Length;
        if (rows > 0)
        {
            using Scratch terms = new(pool, x.Length);
            using Scratch labels = new(pool, rows);
            ArrayView<float> shifts = View(normalizers).SubView(0, rows);
            ArrayView<float> logarithms = View(normalizers).SubView(rows, rows);
            AxisLayout layout = new(rows, columns, 1);
            Reduce(default(Largest), View(x), layout, shifts);
            Zip(
                default(ShiftedExponential),
                new OperandView(View(x), x.Length, 1),
                new OperandView(shifts, rows, columns),
                terms.Floats.SubView(0, x.Length));
            Reduce(default(Sum), terms.Floats, layout, logarithms);
            queue.Launch(ElementwiseKernels.Map<Logarithm>, rows, default(Logarithm), logarithms, logarithms);
            queue.Launch(
                CrossEntropyKernels.Losses, rows, Arguments(x, normalizers, targets, columns, labels), View(losses));
        }

        KeepAlive(x, normalizers, losses);
        GC.KeepAlive(targets.Weights);
    }

    /// <inheritdoc/>
    public override void CrossEntropyBackward(
        Storage x,
        Storage normalizers,
        ClassTargets targets,
        int columns,
        Storage gradient,
        float divisor,
        Storage result)
    {
        if (result.Length > 0)
        {
            using Scratch labels = new(pool, targets.Labels.Length);
            queue.Launch(
                CrossEntropyKernels.Gradient,
                result.Length,
                Arguments(x, normalizers, targets, columns, labels),
                View(gradient),
                gradient.Length == 1 ? 0 : 1,
                divisor,
                View(result));
        }

        KeepAlive(x, normalizers, targets.Weights);
        KeepAlive(gradient, result);
    }

    private CrossEntropyArguments Arguments(
        Storage x, Storage normalizers, in ClassTargets targets, int columns, in Scratch labels) => new(
        View(x),
        View(normalizers),
        Upload(targets.Labels, labels.Integers, 0),
        targets.Weights is null ? View(x) : View(targets.Weights),
        targets.Weights is null ? 0 : 1,
        targets.LabelShare,
        targets.ClassShare,
        targets.TotalWeight,
        columns);
}
