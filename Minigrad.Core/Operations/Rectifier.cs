using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = max(x, 0), relu (Nair and Hinton, 2010); the slope at 0 is 0. NaN stays NaN.</summary>
public readonly struct Rectifier : IOutputSlope
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(0f, x, x, T.IfNaN(x, x, 0f));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SlopeFromOutput<T>(T y)
        where T : struct, IReal<T> => T.Less(0f, y, 1f, T.IfNaN(y, 1f, 0f));
}
