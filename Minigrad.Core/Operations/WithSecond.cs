using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A binary operation whose second operand is a number: y = f(x, c).</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
/// <param name="second">The number c.</param>
public readonly struct WithSecond<TOp>(TOp op, float second) : IUnaryOp, IPartialApplication
    where TOp : unmanaged, IBinaryOp
{
    private readonly TOp op = op;
    private readonly float second = second;

    /// <inheritdoc/>
    (float Number, bool IsFirst) IPartialApplication.Constant => (second, false);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => op.Forward<T>(x, second);
}
