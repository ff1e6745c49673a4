using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>maxᵢ |Δᵢ| / (λ · |wᵢ| + α) of the update Δ: how many times its bound it is (Tang et al., 2023, arXiv:2302.09178, whose threshold is 1).</summary>
/// <typeparam name="TRule">The optimizer's rule.</typeparam>
/// <param name="relative">λ.</param>
/// <param name="absolute">α.</param>
public readonly struct ClippyLimit<TRule>(double relative, double absolute) : IUpdateLimit<TRule>
    where TRule : unmanaged, IUpdateRule
{
    private readonly float relative = (float)relative;
    private readonly float absolute = (float)absolute;

    /// <inheritdoc/>
    public static double Order => double.PositiveInfinity;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Measure<T>(TRule rule, T parameter, T gradient, T change, T first, T second, T third)
        where T : struct, IReal<T> => change / ((relative * T.Abs(parameter)) + absolute);

    /// <inheritdoc/>
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath => norm;

    /// <inheritdoc/>
    public double DecayShare(double coefficient) => 1.0;
}
