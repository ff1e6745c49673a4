using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>ln(1 + e^(βx)) / β. Any shape in, the same out: <c>[…] → […]</c>.</summary>
/// <param name="beta">β, how sharp the bend is; a finite number, not 0.</param>
/// <param name="threshold">The value of βx above which the result is x.</param>
/// <exception cref="ArgumentOutOfRangeException">β is 0 or not finite.</exception>
public sealed class Softplus(float beta = 1f, float threshold = 20f) : Layer
{
    private readonly float beta = SoftRectifier.Checked(beta);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Softplus(beta, threshold);
}
