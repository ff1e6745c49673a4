namespace Minigrad.Layers;

/// <summary>x for x &gt; 0, slope · x elsewhere. Any shape in, the same out: <c>[…] → […]</c>.</summary>
/// <param name="negativeSlope">The slope for x ≤ 0.</param>
public sealed class LeakyRelu(float negativeSlope = 0.01f) : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.LeakyRelu(negativeSlope);
}
