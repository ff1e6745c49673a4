using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Presets;

/// <summary>Adamax as in Keras 3.</summary>
internal sealed class KerasAdamax(IEnumerable<ParameterGroup> groups, double learningRate, double beta1, double beta2, double epsilon, double weightDecay)
    : KerasOptimizer(groups, learningRate, weightDecay)
{
    private readonly double beta1 = CheckRate(beta1, nameof(beta1));
    private readonly double beta2 = CheckRate(beta2, nameof(beta2));
    private readonly double epsilon = CheckNotNegative(epsilon, nameof(epsilon));

    /// <inheritdoc/>
    protected override int StateCount => 2;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        BiasCorrection correction = new(step.LearningRate, beta1, beta2);
        step.Apply<KerasAdamaxStep, KerasAdamaxRule>(new KerasAdamaxStep(correction, beta1, beta2, epsilon), targets);
    }
}
