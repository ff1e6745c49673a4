using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A value with a given probability, else 0.</summary>
/// <param name="probability">How likely the value is.</param>
/// <param name="value">The value.</param>
public readonly struct BernoulliDistribution(float probability, float value) : IDistribution
{
    private readonly float probability = probability;
    private readonly float value = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Sample<T>(T u, T v)
        where T : struct, IReal<T> => T.Less(u, probability, value, 0f);
}
