using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With d = a − b: y = ½ d² for |d| ≤ δ, δ · (|d| − ½ δ) elsewhere (Huber, 1964).</summary>
/// <param name="delta">δ, where the parabola becomes a line.</param>
public readonly struct HuberError(float delta) : IBinaryOp
{
    private readonly float delta = delta;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => Of(T.Abs(a - b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T Of<T>(T d)
        where T : struct, IReal<T> => T.Less(delta, d, delta * (d - (0.5f * delta)), 0.5f * (d * d));
}
