using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = a where the condition c is not 0, b elsewhere.</summary>
public readonly struct Choose : ITernaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T> => T.Less(0f, T.Abs(c), a, b);
}
