using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>min x; NaN if an element is NaN.</summary>
public readonly struct Smallest : IReduction
{
    /// <inheritdoc/>
    public float Initial => float.PositiveInfinity;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Term<T>(T x)
        where T : struct, IReal<T> => x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Combine<T>(T a, T b)
        where T : struct, IReal<T> => T.Min(a, b);
}
