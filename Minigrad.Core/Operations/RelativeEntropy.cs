using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// With a = ln q and b = p: y = p · (ln p − a), the term of the Kullback–Leibler divergence; 0 where p is 0, or too small to be a normal number,
/// whatever q. NaN stays NaN.
/// </summary>
public readonly struct RelativeEntropy : IBinaryOp
{
    /// <summary>The smallest normal number. Of smaller ones the slope of the logarithm is infinite, and what it is multiplied with nothing.</summary>
    private const float SmallestNormal = 1.17549435e-38f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> =>
        T.Less(T.Abs(b), SmallestNormal, T.IfNaN(a, 0f * a, 0f), b * (T.Log(b) - a));
}
