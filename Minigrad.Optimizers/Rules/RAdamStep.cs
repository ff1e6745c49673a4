using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="RAdamRule"/> of each step, with the rectification r = √((ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)) where ρₜ &gt; 5 (Liu et al., 2019, arXiv:1908.03265).</summary>
/// <param name="correction">The corrections of bias.</param>
/// <param name="moments">The running means.</param>
/// <param name="beta2">β₂, the rate of the running mean of squares.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct RAdamStep(BiasCorrection correction, Moments moments, double beta2, double epsilon) : IStepRule<RAdamRule>
{
    private readonly BiasCorrection correction = correction;
    private readonly Moments moments = moments;
    private readonly double beta2 = beta2;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public RAdamRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath
    {
        double power = TMath.Power(beta2, step);
        double longest = (2 / (1 - beta2)) - 1;
        double length = longest - (2 * step * power / (1 - power));
        double stepSize = correction.StepSize<TMath>(step);
        float secondScale = (float)correction.SecondScale<TMath>(step);
        if (length > 5)
        {
            double rectification = TMath.SquareRoot(
                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
            return new(moments, 0f, (float)(stepSize * rectification * TMath.SquareRoot(1 - power)), secondScale, (float)epsilon);
        }

        return new(moments, (float)stepSize, 0f, secondScale, (float)epsilon);
    }
}
