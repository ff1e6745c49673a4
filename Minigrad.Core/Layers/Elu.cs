namespace Minigrad.Layers;

/// <summary>x for x &gt; 0, α · (eˣ − 1) elsewhere. Any shape in, the same out: <c>[…] → […]</c>.</summary>
/// <param name="alpha">α.</param>
public sealed class Elu(float alpha = 1f) : Layer
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Elu(alpha);
}
