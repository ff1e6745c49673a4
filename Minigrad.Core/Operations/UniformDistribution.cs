using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>Uniform in [low, high).</summary>
/// <param name="low">The lower end.</param>
/// <param name="high">The upper end.</param>
public readonly struct UniformDistribution(float low, float high) : IDistribution
{
    private readonly float low = low;
    private readonly float high = high;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Sample<T>(T u, T v)
        where T : struct, IReal<T> => low + ((high - low) * u);
}
