namespace Minigrad.Layers;

/// <summary>x · sigmoid(x).</summary>
public sealed class Silu : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Silu();
}
