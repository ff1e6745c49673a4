namespace Minigrad.Optimizers.Presets;

/// <summary>Nadam as in Keras 3: the momenta approach β₁ with 0.96ᵗ, where PyTorch has 0.96^(t · 0.004), and weights decay apart.</summary>
internal sealed class KerasNadam(IEnumerable<ParameterGroup> groups, double learningRate, double beta1, double beta2, double epsilon, double weightDecay)
    : NAdam(groups, learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay: 1)
{
    /// <inheritdoc/>
    protected override bool HasDecoupledDecay => true;
}
