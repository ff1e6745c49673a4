namespace Minigrad.Optimizers.Presets;

/// <summary>Adadelta as in Keras 3: the formula of all, but weights decay apart.</summary>
internal sealed class KerasAdadelta(IEnumerable<ParameterGroup> groups, double learningRate, double rho, double epsilon, double weightDecay)
    : Adadelta(groups, learningRate, rho, epsilon, weightDecay)
{
    /// <inheritdoc/>
    protected override bool HasDecoupledDecay => true;
}
