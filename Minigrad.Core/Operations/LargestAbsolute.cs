using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>max |x|; NaN if an element is NaN.</summary>
public readonly struct LargestAbsolute : IReduction
{
    /// <inheritdoc/>
    public float Initial => 0f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Term<T>(T x)
        where T : struct, IReal<T> => T.Abs(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Combine<T>(T a, T b)
        where T : struct, IReal<T> => T.Max(a, b);
}
