using Minigrad.Backends;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Gpu;

/// <content>Layer, batch and root-mean-square normalisation.</content>
public sealed partial class GpuBackend
{
    /// <inheritdoc/>
    public override void GroupStatistics(in NormalizationShape shape, Storage x, Storage statistics)
    {
        queue.LaunchGroups(
            NormalizationKernels.Statistics,
            shape.Groups,
            GroupForRow(shape.Groups, shape.GroupLength),
            Arguments(shape, x, statistics, null),
            View(statistics));
        KeepAlive(x, statistics);
    }

    /// <inheritdoc/>
    public override void Normalize(
        in NormalizationShape shape, Storage x, Storage statistics, Storage? weight, Storage? bias, Storage y)
    {
        queue.Launch(
            NormalizationKernels.Normalize,
            y.Length,
            Arguments(shape, x, statistics, weight),
            bias is null ? 0 : 1,
            View(bias ?? x),
            View(y));
        KeepAlive(x, statistics, weight);
        KeepAlive(y, y, bias);
    }

    /// <inheritdoc/>
    public override void NormalizeBackward(
        in NormalizationShape shape,
        Storage x,
        Storage statistics,
        Storage? weight,
        Storage gradient,
        Storage? result,
        Storage? weightGradient,
        Storage? biasGradient)
    {
        NormalizationArguments arguments = Arguments(shape, x, statistics, weight);
        if (result is not null)
        {
            queue.LaunchGroups(
                NormalizationKernels.InputGradient,
                shape.Groups,
                GroupForRow(shape.Groups, shape.GroupLength),
                arguments,
                View(gradient),
                View(result));
        }

        if ((weightGradient ?? biasGradient) is not null)
        {
            queue.LaunchGroups(
                NormalizationKernels.WeightGradient,
                shape.WeightCount,
                GroupForRow(shape.WeightCount, shape.IsWeightPerGroup ? shape.GroupLength : shape.Groups),
                arguments,
                View(gradient),
                weightGradient is null ? 0 : 1,
                View(weightGradient ?? gradient),
                biasGradient is null ? 0 : 1,
                View(biasGradient ?? gradient));
        }

        KeepAlive(x, statistics, weight);
        KeepAlive(gradient, gradient, result);
        GC.KeepAlive(weightGradient);
        GC.KeepAlive(biasGradient);
    }

    private NormalizationArguments Arguments(in NormalizationShape shape, Storage x, Storage statistics, Storage? weight) =>
        new(shape, View(x), View(statistics), View(weight ?? x), weight is null ? 0 : 1);
}
