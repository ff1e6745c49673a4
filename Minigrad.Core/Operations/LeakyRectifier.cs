using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x for x &gt; 0, slope · x elsewhere (Maas et al., 2013).</summary>
/// <param name="negativeSlope">The slope for x ≤ 0.</param>
public readonly struct LeakyRectifier(float negativeSlope) : IUnaryOp
{
    private readonly float negativeSlope = negativeSlope;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(0f, x, x, negativeSlope * x);
}
