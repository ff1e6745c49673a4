namespace Minigrad.Layers;

/// <summary>ln(1 + e^(βx)) / β.</summary>
/// <param name="beta">β, how sharp the bend is.</param>
/// <param name="threshold">The value of βx above which the result is x.</param>
public sealed class Softplus(float beta = 1f, float threshold = 20f) : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Softplus(beta, threshold);
}
