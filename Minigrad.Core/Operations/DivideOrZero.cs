using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = a / b, and 0 where b is 0.</summary>
public readonly struct DivideOrZero : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Less(0f, T.Abs(b), a / b, T.IfNaN(b, b, 0f));
}
