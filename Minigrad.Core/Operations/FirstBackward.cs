using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The gradient that flows back to a through y = f(a, b): g · ∂f/∂a, as an operation on (a, b, g).</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct FirstBackward<TOp>(TOp op) : ITernaryOp
    where TOp : unmanaged, IBinaryOp
{
    private readonly FirstSlope<TOp> slope = new(op);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T gradient)
        where T : struct, IReal<T> => gradient * slope.Forward(a, b);
}
