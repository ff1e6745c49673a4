using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With a = ln q and b = p: y = p · (ln p − a), the term of the Kullback–Leibler divergence; 0 where p is 0.</summary>
public readonly struct RelativeEntropy : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Less(0f, b, b * (T.Log(b) - a), 0f * a);
}
