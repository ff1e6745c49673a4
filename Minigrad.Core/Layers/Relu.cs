using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>max(x, 0). Any shape in, the same out: <c>[…] → […]</c>.</summary>
public sealed class Relu : Layer, IActivation
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Relu();

    /// <inheritdoc/>
    Tensor IActivation.After(Linear layer, Tensor input) => layer.Forward(input, default(Rectifier));
}
