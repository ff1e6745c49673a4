using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>1 / (1 + e⁻ˣ). Any shape in, the same out: <c>[…] → […]</c>.</summary>
public sealed class Sigmoid : Layer, IActivation
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => input.Sigmoid();

    /// <inheritdoc/>
    Tensor IActivation.After(Linear layer, Tensor input) => layer.Forward(input, default(LogisticSigmoid));
}
