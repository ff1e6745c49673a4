using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Presets;

/// <summary>RMSProp as in Keras 3.</summary>
internal sealed class KerasRmsProp(IEnumerable<ParameterGroup> groups, double learningRate, double rho, double momentum, double epsilon, bool centered, double weightDecay)
    : KerasOptimizer(groups, learningRate, weightDecay)
{
    private readonly double rho = CheckRate(rho, nameof(rho));
    private readonly double momentum = CheckRate(momentum, nameof(momentum));
    private readonly double epsilon = CheckNotNegative(epsilon, nameof(epsilon));

    /// <inheritdoc/>
    protected override int StateCount => centered ? 3 : 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        (float rate, float decay, float share) = ((float)step.LearningRate, (float)rho, (float)(1 - rho));
        if (centered)
        {
            step.ApplyWithSecondMoment(new KerasCenteredRmsPropRule(rate, decay, share, (float)momentum, (float)epsilon), targets);
        }
        else
        {
            step.ApplyWithSecondMoment(new KerasRmsPropRule(rate, decay, share, (float)momentum, (float)epsilon), targets);
        }
    }
}
