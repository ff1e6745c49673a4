using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>√mean(g² / max(v̂, ε²)), which is how far the mean square v̂ lags behind (Wortsman et al., 2023, arXiv:2304.13013, algorithm 2, whose threshold is 1).</summary>
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
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath => norm == 0.0 ? 0.0 : norm / TMath.SquareRoot(count);

    /// <inheritdoc/>
    /// <remarks>The method shortens the learning rate, and with it what is decoupled but multiplied by it.</remarks>
    public double DecayShare(double coefficient) => coefficient;
}
