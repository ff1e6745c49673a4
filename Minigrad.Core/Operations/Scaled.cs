using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>x · first · second: a factor too small for one float32 comes in two.</summary>
/// <param name="first">The first factor.</param>
/// <param name="second">The second factor.</param>
public readonly struct Scaled(float first, float second) : IUnaryOp
{
    private readonly float first = first;
    private readonly float second = second;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => x * first * second;
}
