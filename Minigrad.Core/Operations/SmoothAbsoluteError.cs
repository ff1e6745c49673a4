using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With d = a − b: y = ½ d² / β for |d| &lt; β, |d| − ½ β elsewhere (Girshick, 2015, arXiv:1504.08083).</summary>
/// <param name="beta">β, where the parabola becomes a line; 0 gives |d|.</param>
public readonly struct SmoothAbsoluteError(float beta) : IBinaryOp
{
    private readonly float beta = beta;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => Of(T.Abs(a - b));

    /// <summary>A NaN belongs to the parabola, whose slope is NaN as well; that of the line would be 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T Of<T>(T d)
        where T : struct, IReal<T> => Choose(d, 0.5f * (d * d) / beta, d - (0.5f * beta));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T Choose<T>(T d, T parabola, T line)
        where T : struct, IReal<T> => T.Less(d, beta, parabola, T.IfNaN(d, parabola, line));
}
