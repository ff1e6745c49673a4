using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Optimizers.Rules;

/// <summary>The running means of g and g² that the Adam family shares: m ← m + (1 − β₁)(g − m), v ← β₂ · v + (1 − β₂) · g².</summary>
/// <param name="meanRate">1 − β₁.</param>
/// <param name="squareDecay">β₂.</param>
/// <param name="squareRate">1 − β₂, rounded on its own: 1 − 0.999 in float32 is off by 5 · 10⁻⁵.</param>
public readonly struct Moments(float meanRate, float squareDecay, float squareRate)
{
    private readonly float meanRate = meanRate;
    private readonly float squareDecay = squareDecay;
    private readonly float squareRate = squareRate;

    /// <summary>The running means for two decay rates.</summary>
    /// <param name="beta1">β₁, of the mean.</param>
    /// <param name="beta2">β₂, of the mean square.</param>
    public static Moments Of(double beta1, double beta2) => new((float)(1 - beta1), (float)beta2, (float)(1 - beta2));

    /// <summary>Moves both means one step forward.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="gradient">g.</param>
    /// <param name="mean">m.</param>
    /// <param name="square">v.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(T gradient, ref T mean, ref T square)
        where T : struct, IReal<T>
    {
        mean = Running.Mean(mean, meanRate, gradient);
        square = Running.MeanSquare(square, squareDecay, squareRate, gradient);
    }
}
