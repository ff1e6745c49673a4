using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = 1 where a = b, 0 elsewhere. The slope is 0.</summary>
public readonly struct IsEqual : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Less(a, b, 0f, T.Less(b, a, 0f, T.IfNaN(a, 0f, T.IfNaN(b, 0f, 1f))));
}
