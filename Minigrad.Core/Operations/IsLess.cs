using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = 1 where a &lt; b, 0 elsewhere. The slope is 0.</summary>
public readonly struct IsLess : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Less(a, b, 1f, 0f);
}
