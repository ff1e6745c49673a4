using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>max x; NaN if an element is NaN.</summary>
public readonly struct Largest : IReduction
{
    /// <inheritdoc/>
    public float Initial => float.NegativeInfinity;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Term<T>(T x)
        where T : struct, IReal<T> => x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Combine<T>(T a, T b)
        where T : struct, IReal<T> => T.Max(a, b);
}
