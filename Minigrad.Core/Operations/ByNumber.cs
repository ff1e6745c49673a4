using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A product or a quotient whose second operand is a number: y = x · c, or x / c.</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation.</param>
/// <param name="number">The number c.</param>
public readonly struct ByNumber<TOp>(TOp op, float number) : IUnaryOp, IPartialApplication
    where TOp : unmanaged, IScaling
{
    private readonly TOp op = op;
    private readonly float number = number;

    /// <inheritdoc/>
    (float Number, bool IsFirst) IPartialApplication.Constant => (number, false);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => op.Scale(x, number);
}
