using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="AdamRule"/> of each step.</summary>
/// <param name="correction">The corrections of bias.</param>
/// <param name="moments">The running means.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct AdamStep(BiasCorrection correction, Moments moments, double epsilon) : IStepRule<AdamRule>
{
    private readonly BiasCorrection correction = correction;
    private readonly Moments moments = moments;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public AdamRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath => new(
            moments, (float)correction.StepSize<TMath>(step), (float)correction.SecondScale<TMath>(step), (float)epsilon);
}
