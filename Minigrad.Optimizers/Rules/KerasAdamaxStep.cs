using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="KerasAdamaxRule"/> of each step.</summary>
/// <param name="correction">The corrections of bias.</param>
/// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
/// <param name="beta2">β₂, the rate at which the largest magnitude decays.</param>
/// <param name="epsilon">ε.</param>
public readonly struct KerasAdamaxStep(BiasCorrection correction, double beta1, double beta2, double epsilon) : IStepRule<KerasAdamaxRule>
{
    private readonly BiasCorrection correction = correction;
    private readonly double beta1 = beta1;
    private readonly double beta2 = beta2;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public KerasAdamaxRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath =>
            new((float)correction.StepSize<TMath>(step), (float)(1 - beta1), (float)beta2, (float)epsilon);
}
