namespace Minigrad.Layers;

/// <summary>eˣ / Σ eˣ along an axis. Any shape that has it, the same out: <c>[…] → […]</c>. Do not put it before a cross-entropy, which takes logits.</summary>
/// <param name="axis">The axis.</param>
public sealed class Softmax(int axis = -1) : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Softmax(axis);
}
