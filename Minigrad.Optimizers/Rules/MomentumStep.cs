using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="MomentumRule"/> of each step: the first momentum is the gradient itself.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="momentum">μ.</param>
/// <param name="dampening">How much less of a gradient enters the momentum, from the second step on.</param>
public readonly struct MomentumStep(double learningRate, double momentum, double dampening) : IStepRule<MomentumRule>
{
    private readonly double learningRate = learningRate;
    private readonly double momentum = momentum;
    private readonly double dampening = dampening;

    /// <inheritdoc/>
    public MomentumRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath =>
            new((float)learningRate, (float)momentum, step == 1.0 ? 1f : (float)(1 - dampening));
}
