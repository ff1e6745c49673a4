namespace Minigrad.Layers;

/// <summary>x · sigmoid(x). Any shape in, the same out: <c>[…] → […]</c>.</summary>
public sealed class Silu : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Silu();
}
