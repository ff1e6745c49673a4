using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>What a clip of updates measures of each element, and the size of the update that follows: the formula alone.</summary>
/// <typeparam name="TRule">The optimizer's rule.</typeparam>
public interface IUpdateLimit<TRule>
    where TRule : unmanaged, IUpdateRule
{
    /// <summary>The order of the norm of what is measured: 2, or +∞ for the largest magnitude.</summary>
    static abstract double Order { get; }

    /// <summary>What is measured of one element.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="rule">The optimizer's rule.</param>
    /// <param name="parameter">The parameter before the step.</param>
    /// <param name="gradient">The gradient that the rule was given.</param>
    /// <param name="change">What the rule would add to the parameter: −Δ.</param>
    /// <param name="first">The first remembered number after the update.</param>
    /// <param name="second">The second remembered number after the update.</param>
    /// <param name="third">The third remembered number after the update.</param>
    T Measure<T>(TRule rule, T parameter, T gradient, T change, T first, T second, T third)
        where T : struct, IReal<T>;

    /// <summary>The size of the update, which is compared with a threshold; NaN for NaN.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="norm">The norm of what was measured.</param>
    /// <param name="count">How many elements the parameter has.</param>
    double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath;

    /// <summary>Which part of decoupled weight decay is made.</summary>
    /// <param name="coefficient">Which part of the update is made.</param>
    double DecayShare(double coefficient);
}
