using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x where |x| is below a limit, 0 elsewhere; NaN gives 0.</summary>
/// <param name="limit">The limit; +∞ keeps every finite number.</param>
public readonly struct KeepBelow(float limit) : IUnaryOp
{
    private readonly float limit = limit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(T.Abs(x), limit, x, 0f);
}
