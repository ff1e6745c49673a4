namespace Minigrad.Layers;

/// <summary>x · Φ(x), with Φ the normal distribution function. Any shape in, the same out: <c>[…] → […]</c>.</summary>
/// <param name="approximate">Whether to use the approximation by tanh.</param>
public sealed class Gelu(bool approximate = false) : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Gelu(approximate);
}
