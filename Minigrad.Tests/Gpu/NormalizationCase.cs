using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Gpu;

/// <summary>The operands of a normalisation, and which gradients are asked for.</summary>
internal sealed record NormalizationCase
{
    private readonly int flags;

    /// <summary>Operands near 1.</summary>
    /// <param name="shape">The groups.</param>
    /// <param name="flags">A bit each: weight, bias, and the gradients of x, weight and bias.</param>
    /// <param name="seed">Which numbers.</param>
    public NormalizationCase(NormalizationShape shape, int flags, int seed)
    {
        Generator generator = new((ulong)seed);
        float[] Numbers(int count) => (Tensor.Normal([count], generator: generator) + 1f).ToArray();
        (Shape, this.flags) = (shape, flags);
        X = Numbers(shape.GroupLength * shape.Groups);
        Gradient = Numbers(X.Length);
        Weight = (flags & 1) != 0 ? Numbers(shape.WeightCount) : null;
        Bias = (flags & 2) != 0 ? Numbers(shape.WeightCount) : null;
    }

    public NormalizationShape Shape { get; init; }

    public float[] X { get; init; }

    public float[] Gradient { get; init; }

    public float[]? Weight { get; }

    public float[]? Bias { get; }

    public bool AsksForInput => (flags & 4) != 0;

    public bool AsksForWeight => (flags & 8) != 0;

    public bool AsksForBias => (flags & 16) != 0;

    /// <summary>The means and variances that the CPU finds.</summary>
    public float[] Statistics()
    {
        Storage statistics = CpuBackend.Instance.Allocate(2 * Shape.Groups);
        CpuBackend.Instance.GroupStatistics(Shape, GpuFixture.Upload(CpuBackend.Instance, X), statistics);
        return GpuFixture.Download(statistics);
    }

    /// <summary>Which group an element belongs to.</summary>
    public int GroupOf(int place) => place / Shape.Inner % Shape.Groups;

    /// <summary>Which of the weights is an element's.</summary>
    public int WeightPlace(int place) => Shape.IsWeightPerGroup ? GroupOf(place) : place % Shape.Inner;
}
