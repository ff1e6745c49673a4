using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Presets;

/// <summary>Gradient descent as in Keras 3.</summary>
internal sealed class KerasSgd(IEnumerable<ParameterGroup> groups, double learningRate, double momentum, bool nesterov, double weightDecay)
    : KerasOptimizer(groups, learningRate, weightDecay)
{
    private readonly double momentum = CheckRate(momentum, nameof(momentum));

    /// <inheritdoc/>
    protected override int StateCount => momentum == 0 ? 0 : 1;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        float rate = (float)step.LearningRate;
        if (momentum == 0)
        {
            step.Apply(new SgdRule(rate), targets);
        }
        else if (nesterov)
        {
            step.Apply(new KerasNesterovRule(rate, (float)momentum), targets);
        }
        else
        {
            step.Apply(new KerasMomentumRule(rate, (float)momentum), targets);
        }
    }
}
