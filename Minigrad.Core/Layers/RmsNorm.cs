using Minigrad.Backends;

namespace Minigrad.Layers;

/// <summary>
/// Root mean square normalisation over the last dimension (Zhang and Sennrich, 2019, arXiv:1910.07467):
/// y = x / √(mean(x²) + ε) · weight, <c>[…, features] → […, features]</c>. Parameter <c>weight</c>, <c>[features]</c>.
/// </summary>
public sealed class RmsNorm : Layer
{
    private readonly float epsilon;

    /// <summary>A layer whose weight begins as 1.</summary>
    /// <param name="features">The length of the last dimension, at least 1.</param>
    /// <param name="epsilon">ε, added to the mean square. (PyTorch's default is float32's 1.19e-7.)</param>
    /// <param name="isAffine">Whether there is a weight.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public RmsNorm(int features, float epsilon = 1e-6f, bool isAffine = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        Features = features;
        this.epsilon = NormalizationShape.CheckedEpsilon(epsilon, nameof(RmsNorm));
        Weight = isAffine ? Parameter("weight", Tensor.Ones(features)) : null;
    }

    /// <summary>The length of the last dimension.</summary>
    public int Features { get; }

    /// <summary>The scale, <c>[features]</c>, or null.</summary>
    public Tensor? Weight { get; }

    /// <inheritdoc/>
    public override string ToString() => $"RmsNorm({Features})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        LayerNorm.CheckLastDimension(input, Features);
        return input.RmsNorm(Weight, epsilon);
    }
}
