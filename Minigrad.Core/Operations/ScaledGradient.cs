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
}
