using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>
/// The <see cref="AdamRule"/> of each step with ε as in Keras 3, added before the correction of bias ("epsilon hat"): what √v + ε is
/// there is √v · c + ε · c here.
/// </summary>
/// <param name="correction">The corrections of bias.</param>
/// <param name="moments">The running means.</param>
/// <param name="epsilon">ε, added to the root before its bias is corrected.</param>
public readonly struct KerasAdamStep(BiasCorrection correction, Moments moments, double epsilon) : IStepRule<AdamRule>
{
    private readonly BiasCorrection correction = correction;
    private readonly Moments moments = moments;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public AdamRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath
    {
        double secondScale = correction.SecondScale<TMath>(step);
        return new(moments, (float)correction.StepSize<TMath>(step), (float)secondScale, (float)(epsilon * secondScale));
    }
}
