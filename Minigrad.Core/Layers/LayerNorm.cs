using Minigrad.Backends;

namespace Minigrad.Layers;

/// <summary>
/// Layer normalisation over the last dimension (Ba, Kiros and Hinton, 2016, arXiv:1607.06450):
/// y = (x − mean) / √(variance + ε) · weight + bias, <c>[…, features] → […, features]</c>, the same in training and in use.
/// Parameters <c>weight</c> and <c>bias</c>, <c>[features]</c>.
/// </summary>
public sealed class LayerNorm : Layer
{
    private readonly float epsilon;

    /// <summary>A layer whose weight begins as 1 and its bias as 0.</summary>
    /// <param name="features">The length of the last dimension, at least 1.</param>
    /// <param name="epsilon">ε, added to the variance.</param>
    /// <param name="isAffine">Whether there are a weight and a bias.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public LayerNorm(int features, float epsilon = 1e-5f, bool isAffine = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        Features = features;
        this.epsilon = NormalizationShape.CheckedEpsilon(epsilon, nameof(LayerNorm));
        if (isAffine)
        {
            Weight = Parameter("weight", Tensor.Ones(features));
            Bias = Parameter("bias", Tensor.Zeros(features));
        }
    }

    /// <summary>The length of the last dimension.</summary>
    public int Features { get; }

    /// <summary>The scale, <c>[features]</c>, or null.</summary>
    public Tensor? Weight { get; }

    /// <summary>The shift, <c>[features]</c>, or null.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    public override string ToString() => $"LayerNorm({Features})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        CheckLastDimension(input, Features);
        return input.LayerNorm(Weight, Bias, epsilon);
    }

    /// <summary>Refuses an input whose last dimension is another than the layer's.</summary>
    internal static void CheckLastDimension(Tensor input, int features)
    {
        if (input.Rank == 0 || input.Shape[-1] != features)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, but its last dimension, which is normalised, must be {features}.");
        }
    }
}
