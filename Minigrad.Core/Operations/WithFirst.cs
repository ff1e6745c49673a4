using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>A binary operation whose first operand is a number: y = f(c, x).</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
/// <param name="first">The number c.</param>
public readonly struct WithFirst<TOp>(TOp op, float first) : IUnaryOp, IPartialApplication
    where TOp : unmanaged, IBinaryOp
{
    private readonly TOp op = op;
    private readonly float first = first;

    /// <inheritdoc/>
    (float Number, bool IsFirst) IPartialApplication.Constant => (first, true);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => op.Forward<T>(first, x);
}
