using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x where x is finite, 0 elsewhere.</summary>
public readonly struct FiniteOrZero : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(T.Abs(x), float.PositiveInfinity, x, 0f);
}
