namespace Minigrad.Optimizers.Presets;

/// <summary>What Keras's optimizers share: weight decay apart from the gradient, p ← p − η · λ · p before the update.</summary>
internal abstract class KerasOptimizer : Optimizer
{
    protected KerasOptimizer(IEnumerable<ParameterGroup> groups, double learningRate, double weightDecay)
        : base(groups, learningRate)
    {
        WeightDecay = weightDecay;
    }

    /// <inheritdoc/>
    protected override bool HasDecoupledDecay => true;
}
