using System.Numerics;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Softmax along an axis, and cross-entropy of rows.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void Softmax(Storage x, AxisLayout layout, bool logarithm, Storage y)
    {
        if (layout.Axis > 0)
        {
            queue.LaunchGroups(
                SoftmaxKernels.Softmax,
                layout.Outer * layout.Inner,
                GroupForRow(layout.Outer * layout.Inner, layout.Axis),
                layout.Axis,
                layout.Inner,
                logarithm ? 1 : 0,
                View(x),
                View(y));
        }

        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void SoftmaxBackward(Storage y, Storage gradient, AxisLayout layout, bool logarithm, Storage result)
    {
        if (layout.Axis > 0)
        {
            queue.LaunchGroups(
                SoftmaxKernels.SoftmaxBackward,
                layout.Outer * layout.Inner,
                GroupForRow(layout.Outer * layout.Inner, layout.Axis),
                layout.Axis,
                layout.Inner,
                logarithm ? 1 : 0,
                View(y),
                View(gradient),
                View(result));
        }

        KeepAlive(y, gradient, result);
    }

    /// <inheritdoc/>
    public override void CrossEntropy(
        Storage x, ClassTargets targets, int columns, Storage normalizers, Storage losses)
    {
        queue.LaunchGroups(
            SoftmaxKernels.CrossEntropy,
            targets.Labels.Count,
            GroupForRow(targets.Labels.Count, columns),
            Arguments(x, normalizers, targets, columns),
            View(losses));
        KeepAlive(x, normalizers, losses);
        KeepAlive(targets.Labels.OnDevice, targets.Weights);
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
        queue.Launch(
            SoftmaxKernels.CrossEntropyBackward,
            result.Length,
            Arguments(x, normalizers, targets, columns),
            View(gradient),
            gradient.Length == 1 ? 0 : 1,
            divisor,
            View(result));
        KeepAlive(x, normalizers, targets.Weights);
        KeepAlive(gradient, result, targets.Labels.OnDevice);
    }

    /// <summary>A group for a row: the next power of two, from a warp up to what a group may have.</summary>
    private int GroupForRow(int rows, int columns) =>
        queue.GroupSizeFor(rows, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(WidestLanes, columns)));

    private CrossEntropyArguments Arguments(Storage x, Storage normalizers, in ClassTargets targets, int columns) => new(
        View(x),
        View(normalizers),
        View(targets.Labels),
        targets.Weights is null ? View(x) : View(targets.Weights),
        targets.Weights is null ? 0 : 1,
        targets.LabelShare,
        targets.ClassShare,
        targets.TotalWeight,
        columns);
}
