using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The slope ∂f/∂a of a binary operation, as an operation: what a second derivative starts from.</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct FirstSlope<TOp>(TOp op) : IBinaryOp
    where TOp : unmanaged, IBinaryOp
{
    private readonly TOp op = op;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => op.Forward(new Dual<T>(a, 1f), new Dual<T>(b, 0f)).Derivative;
}
