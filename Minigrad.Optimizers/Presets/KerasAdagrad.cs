using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Presets;

/// <summary>Adagrad as in Keras 3.</summary>
internal sealed class KerasAdagrad(IEnumerable<ParameterGroup> groups, double learningRate, double initialAccumulator, double epsilon, double weightDecay)
    : KerasOptimizer(groups, learningRate, weightDecay)
{
    private readonly double initialAccumulator = CheckNotNegative(initialAccumulator, nameof(initialAccumulator));
    private readonly double epsilon = CheckNotNegative(epsilon, nameof(epsilon));

    /// <inheritdoc/>
    protected override int StateCount => 1;

    /// <inheritdoc/>
    protected override float InitialState(int slot) => (float)initialAccumulator;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        step.Apply(new KerasAdagradRule((float)step.LearningRate, (float)epsilon), targets);
    }
}
