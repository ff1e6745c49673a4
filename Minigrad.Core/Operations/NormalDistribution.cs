using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>Normal, by the transform of Box and Muller (1958): μ + σ · √(−2 ln u) · cos(2πv).</summary>
/// <param name="mean">μ.</param>
/// <param name="standardDeviation">σ.</param>
public readonly struct NormalDistribution(float mean, float standardDeviation) : IDistribution
{
    private readonly float mean = mean;
    private readonly float standardDeviation = standardDeviation;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Sample<T>(T u, T v)
        where T : struct, IReal<T> =>
        mean + (standardDeviation * (T.Sqrt(-2f * T.Log(u)) * T.Cos(Constants.TwoPi * v)));
}
