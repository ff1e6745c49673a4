using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = −1, 0 or +1; NaN stays NaN. The slope is 0.</summary>
public readonly struct Sign : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(0f, x, 1f, T.Less(x, 0f, -1f, T.IfNaN(x, 0f * x, 0f)));
}
