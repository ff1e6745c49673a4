using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The gradient that flows back through y = f(x): g · f′(x), as an operation on (x, g).</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct UnaryBackward<TOp>(TOp op) : IBinaryOp
    where TOp : unmanaged, IUnaryOp
{
    private readonly Slope<TOp> slope = new(op);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x, T gradient)
        where T : struct, IReal<T> => gradient * slope.Forward(x);
}
