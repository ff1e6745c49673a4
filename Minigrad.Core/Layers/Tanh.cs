using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>tanh x. Any shape in, the same out: <c>[…] → […]</c>.</summary>
public sealed class Tanh : Layer, IActivation
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Tanh();

    /// <inheritdoc/>
    Tensor IActivation.After(Linear layer, Tensor input) => layer.Forward(input, default(HyperbolicTangent));
}
