using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The <see cref="NAdamRule"/> of each step. It carries the product of the momenta μ so far (Dozat, 2016).</summary>
/// <param name="correction">The corrections of bias.</param>
/// <param name="moments">The running means.</param>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
/// <param name="momentumDecay">ψ, with which the momenta approach β₁.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct NAdamStep(BiasCorrection correction, Moments moments, double learningRate, double beta1, double momentumDecay, double epsilon) : IStepRule<NAdamRule>
{
    private readonly BiasCorrection correction = correction;
    private readonly Moments moments = moments;
    private readonly double learningRate = learningRate;
    private readonly double beta1 = beta1;
    private readonly double momentumDecay = momentumDecay;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public NAdamRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath
    {
        double momentum = Momentum<TMath>(step);
        double next = Momentum<TMath>(step + 1);
        double product = (step == 1.0 ? 1.0 : memory) * momentum;
        memory = product;
        return new(
            moments,
            (float)(learningRate * (1 - momentum) / (1 - product)),
            (float)(learningRate * next / (1 - (product * next))),
            (float)correction.SecondScale<TMath>(step),
            (float)epsilon);
    }

    /// <summary>μₜ = β₁ · (1 − 0.96^(t · ψ) / 2).</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="step">t.</param>
    public double Momentum<TMath>(double step)
        where TMath : struct, IStepMath => beta1 * (1 - (0.5 * TMath.Power(0.96, step * momentumDecay)));
}
