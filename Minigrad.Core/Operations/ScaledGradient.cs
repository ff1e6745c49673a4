using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// A gradient element as clipping left it: clamp(g · first · second, low, high). A coefficient too small for one float32
/// comes in two factors. NaN stays NaN.
/// </summary>
/// <param name="first">The first factor.</param>
/// <param name="second">The second factor.</param>
/// <param name="low">The smallest value, −∞ for none.</param>
/// <param name="high">The largest value, +∞ for none.</param>
public readonly struct ScaledGradient(float first, float second, float low, float high) : IUnaryOp
{
    private readonly float first = first;
    private readonly float second = second;
    private readonly ClampBetween clamp = new(low, high);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => clamp.Forward(new Scaled(first, second).Forward(x));

    /// <summary>The same, and a note of whether an edge was passed.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="x">g.</param>
    /// <param name="moved">Becomes 1 where the scaled element lies outside the edges; stays as it is elsewhere, and at NaN.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x, ref T moved)
        where T : struct, IReal<T> => clamp.Forward(new Scaled(first, second).Forward(x), ref moved);
}
