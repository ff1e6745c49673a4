using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The gradient that flows back through y = f(x), from the output: g · f′ as an operation on (y, g).</summary>
/// <typeparam name="TOp">The operation f, which declares its slope from its output.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct OutputBackward<TOp>(TOp op) : IBinaryOp
    where TOp : unmanaged, IOutputSlope
{
    private readonly OutputSlope<TOp> slope = new(op);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T y, T gradient)
        where T : struct, IReal<T> => gradient * slope.Forward(y);
}
