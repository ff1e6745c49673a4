using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>Σ x².</summary>
public readonly struct SumOfSquares : IReduction
{
    /// <inheritdoc/>
    public float Initial => 0f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Term<T>(T x)
        where T : struct, IReal<T> => x * x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Combine<T>(T a, T b)
        where T : struct, IReal<T> => a + b;
}
