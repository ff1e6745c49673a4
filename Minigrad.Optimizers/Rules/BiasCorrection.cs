using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>What the Adam family multiplies by because its running means begin at 0 (Kingma and Ba, 2014, arXiv:1412.6980).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="beta1">β₁, the rate of the running mean of gradients.</param>
/// <param name="beta2">β₂, the rate of the running mean of squares.</param>
public readonly struct BiasCorrection(double learningRate, double beta1, double beta2)
{
    private readonly double learningRate = learningRate;
    private readonly double beta1 = beta1;
    private readonly double beta2 = beta2;

    /// <summary>η / (1 − β₁ᵗ).</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="step">t.</param>
    public double StepSize<TMath>(double step)
        where TMath : struct, IStepMath => learningRate / (1 - TMath.Power(beta1, step));

    /// <summary>1 / √(1 − β₂ᵗ).</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="step">t.</param>
    public double SecondScale<TMath>(double step)
        where TMath : struct, IStepMath => 1 / TMath.SquareRoot(1 - TMath.Power(beta2, step));
}
