using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = min(max(x, minimum), maximum); NaN stays NaN; the slope is 1 at either edge and 0 at NaN.</summary>
/// <param name="minimum">The lower edge, −∞ for none.</param>
/// <param name="maximum">The upper edge, +∞ for none.</param>
public readonly struct ClampBetween(float minimum, float maximum) : IUnaryOp
{
    private readonly float minimum = minimum;
    private readonly float maximum = maximum;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.IfNaN(x, float.NaN, UpTo(T.Less(x, minimum, minimum, x)));

    /// <summary>The same, and a note of what it did.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="x">x.</param>
    /// <param name="moved">Becomes 1 where x lies outside; stays as it is elsewhere, and at NaN.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x, ref T moved)
        where T : struct, IReal<T>
    {
        moved = T.Less(x, minimum, 1f, T.Less(maximum, x, 1f, moved));
        return Forward(x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T UpTo<T>(T x)
        where T : struct, IReal<T> => T.Less(maximum, x, maximum, x);
}
