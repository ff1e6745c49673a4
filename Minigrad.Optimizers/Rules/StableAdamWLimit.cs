using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>1 / max(1, √mean(g² / max(v̂, ε²))), which is how far the mean square v̂ lags behind (Wortsman et al., 2023, arXiv:2304.13013, algorithm 2).</summary>
/// <typeparam name="TRule">The optimizer's rule.</typeparam>
/// <param name="epsilon">ε.</param>
public readonly struct StableAdamWLimit<TRule>(double epsilon) : IUpdateLimit<TRule>
    where TRule : unmanaged, ISecondMoment
{
    private readonly float smallest = (float)(epsilon * epsilon);

    /// <inheritdoc/>
    public static double Order => 2.0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Measure<T>(TRule rule, T parameter, T gradient, T change, T first, T second, T third)
        where T : struct, IReal<T> => gradient / T.Sqrt(T.Max(rule.SecondMoment(first, second, third), smallest));

    /// <inheritdoc/>
    public double Coefficient<TMath>(double norm, double count)
        where TMath : struct, IStepMath
    {
        if (norm == 0.0 || double.IsNaN(norm))
        {
            return norm == 0.0 ? 1.0 : norm;
        }

        double rms = norm / TMath.SquareRoot(count);
        return rms > 1.0 ? 1.0 / rms : 1.0;
    }

    /// <inheritdoc/>
    /// <remarks>The method shortens the learning rate, and with it what is decoupled but multiplied by it.</remarks>
    public double DecayShare(double coefficient) => coefficient;
}
