using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = b where the condition a is not 0 (NaN is not), c elsewhere.</summary>
public readonly struct Where : ITernaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T> => T.Less(0f, T.Abs(a), b, T.IfNaN(a, b, c));
}
