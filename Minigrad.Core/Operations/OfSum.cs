using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A unary operation on a sum: y = f(a + b), as of a product and its bias.</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct OfSum<TOp>(TOp op) : IBinaryOp
    where TOp : unmanaged, IUnaryOp
{
    private readonly TOp op = op;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => op.Forward(a + b);
}
