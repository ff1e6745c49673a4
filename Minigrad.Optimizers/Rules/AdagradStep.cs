using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="AdagradRule"/> of each step, of which the t-th has the learning rate η / (1 + (t − 1) · d).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="learningRateDecay">d.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct AdagradStep(double learningRate, double learningRateDecay, double epsilon) : IStepRule<AdagradRule>
{
    private readonly double learningRate = learningRate;
    private readonly double learningRateDecay = learningRateDecay;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public AdagradRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath =>
            new((float)(learningRate / (1 + ((step - 1) * learningRateDecay))), (float)epsilon);
}
