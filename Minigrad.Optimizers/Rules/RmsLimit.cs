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
    /// <remarks>
    /// Without an update there is nothing to clip, nor under a learning rate of 0 (or one so small that u overflows): Keras's velocity has
    /// rates of the past in it, and so moves weights all the same, by what is no multiple of η.
    /// </remarks>
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath
    {
        // A device may take a comparison with NaN for true, so NaN is asked for before anything is compared.
        if (double.IsNaN(norm) || norm == 0.0)
        {
            return norm;
        }

        double size = norm / (learningRate * TMath.SquareRoot(count));
        if (double.IsNaN(size))
        {
            return size;
        }

        return size > double.MaxValue && norm <= double.MaxValue ? 0.0 : size;
    }

    /// <inheritdoc/>
    public double DecayShare(double coefficient) => 1.0;
}
