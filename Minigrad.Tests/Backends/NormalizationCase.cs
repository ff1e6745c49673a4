using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>The operands of a normalisation, and which gradients are asked for.</summary>
internal sealed record NormalizationCase
{
    private readonly int flags;

    /// <summary>Normal operands, near 1 unless told otherwise.</summary>
    /// <param name="shape">The groups.</param>
    /// <param name="flags">A bit each: weight, bias, and the gradients of x, weight and bias.</param>
    /// <param name="seed">Which numbers.</param>
    /// <param name="x">What x is near.</param>
    /// <param name="others">What the gradient of y, the weight and the bias are near.</param>
    public NormalizationCase(NormalizationShape shape, int flags, int seed, float x = 1f, float others = 1f)
    {
        Generator generator = new((ulong)seed);
        float[] Numbers(int count, float mean) => (Tensor.Normal([count], generator: generator) + mean).ToArray();
        (Shape, this.flags) = (shape, flags);
        X = Numbers(shape.GroupLength * shape.Groups, x);
        Gradient = Numbers(X.Length, others);
        Weight = (flags & 1) != 0 ? Numbers(shape.WeightCount, others) : null;
        Bias = (flags & 2) != 0 ? Numbers(shape.WeightCount, others) : null;
    }

    public NormalizationShape Shape { get; init; }

    public float[] X { get; init; }

    public float[] Gradient { get; init; }

    public float[]? Weight { get; init; }

    public float[]? Bias { get; init; }

    public bool AsksForInput => (flags & 4) != 0;

    public bool AsksForWeight => (flags & 8) != 0;

    public bool AsksForBias => (flags & 16) != 0;

    /// <summary>The means, then the variances, that the CPU finds.</summary>
    public float[] Statistics()
    {
        float[] statistics = [.. Enumerable.Repeat(float.NaN, 2 * Shape.Groups)];
        NormalizationLoops.Statistics(new Workers(), Shape, X, statistics);
        return statistics;
    }

    /// <summary>Which group an element belongs to.</summary>
    public int GroupOf(int place) => place / Shape.Inner % Shape.Groups;

    /// <summary>Which of the weights is an element's.</summary>
    public int WeightPlace(int place) => Shape.IsWeightPerGroup ? GroupOf(place) : place % Shape.Inner;
}
