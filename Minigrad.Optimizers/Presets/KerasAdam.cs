using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Presets;

/// <summary>Adam and AdamW as in Keras 3.</summary>
internal sealed class KerasAdam(IEnumerable<ParameterGroup> groups, double learningRate, double beta1, double beta2, double epsilon, bool amsGrad, double weightDecay)
    : KerasOptimizer(groups, learningRate, weightDecay)
{
    private readonly double beta1 = CheckRate(beta1, nameof(beta1));
    private readonly double beta2 = CheckRate(beta2, nameof(beta2));
    private readonly double epsilon = CheckNotNegative(epsilon, nameof(epsilon));

    /// <inheritdoc/>
    protected override int StateCount => amsGrad ? 3 : 2;

    /// <inheritdoc/>
    protected override bool HasSecondMoment => true;

    /// <inheritdoc/>
    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets)
    {
        BiasCorrection correction = new(step.LearningRate, beta1, beta2);
        Moments moments = Moments.Of(beta1, beta2);
        if (amsGrad)
        {
            step.ApplyWithSecondMoment<KerasAmsGradStep, AmsGradRule>(new KerasAmsGradStep(correction, moments, epsilon), targets);
        }
        else
        {
            step.ApplyWithSecondMoment<KerasAdamStep, AdamRule>(new KerasAdamStep(correction, moments, epsilon), targets);
        }
    }
}
