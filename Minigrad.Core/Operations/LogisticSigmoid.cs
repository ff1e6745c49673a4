using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = 1 / (1 + e⁻ˣ).</summary>
public readonly struct LogisticSigmoid : IOutputSlope
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SlopeFromOutput<T>(T y)
        where T : struct, IReal<T> => y * (1f - y);
}
