using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>The declared slope of an operation as a function of its output, as an operation of its own.</summary>
/// <typeparam name="TOp">The operation f.</typeparam>
/// <param name="op">The operation and its constants.</param>
public readonly struct OutputSlope<TOp>(TOp op) : IUnaryOp
    where TOp : unmanaged, IOutputSlope
{
    private readonly TOp op = op;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => op.SlopeFromOutput(x);
}
