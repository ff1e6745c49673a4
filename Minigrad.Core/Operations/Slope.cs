using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The slope f′(x) of a unary operation, as an operation: what a second derivative starts from.</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct Slope<TOp>(TOp op) : IUnaryOp
    where TOp : unmanaged, IUnaryOp
{
    private readonly TOp op = op;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => op.Forward(new Dual<T>(x, 1f)).Derivative;
}
