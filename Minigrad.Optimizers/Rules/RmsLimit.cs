using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>RMS(u) = √mean(u²) of the update u = Δ / η (Shazeer and Stern, 2018, arXiv:1804.04235, section 6).</summary>
/// <typeparam name="TRule">The optimizer's rule.</typeparam>
/// <param name="learningRate">The learning rate η, by which Δ is divided.</param>
public readonly struct RmsLimit<TRule>(double learningRate) : IUpdateLimit<TRule>
    where TRule : unmanaged, IUpdateRule
{
    private readonly double learningRate = learningRate;

    /// <inheritdoc/>
    public static double Order => 2.0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Measure<T>(TRule rule, T parameter, T gradient, T change, T first, T second, T third)
        where T : struct, IReal<T> => change;

    /// <inheritdoc/>
    /// <remarks>Without an update, as under a learning rate of 0, there is nothing to clip.</remarks>
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath => norm == 0.0 ? 0.0 : norm / (learningRate * TMath.SquareRoot(count));

    /// <inheritdoc/>
    public double DecayShare(double coefficient) => 1.0;
}
