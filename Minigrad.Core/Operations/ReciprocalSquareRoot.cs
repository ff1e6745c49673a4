using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = 1/√x.</summary>
public readonly struct ReciprocalSquareRoot : IOutputSlope
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => 1f / T.Sqrt(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SlopeFromOutput<T>(T y)
        where T : struct, IReal<T> => -0.5f * (y * y * y);
}
