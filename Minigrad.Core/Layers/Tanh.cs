namespace Minigrad.Layers;

/// <summary>tanh x.</summary>
public sealed class Tanh : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Tanh();
}
