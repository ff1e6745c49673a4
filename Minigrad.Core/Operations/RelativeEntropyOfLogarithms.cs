using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With a = ln q and b = ln p: y = p · (b − a), the term of the Kullback–Leibler divergence.</summary>
public readonly struct RelativeEntropyOfLogarithms : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Exp(b) * (b - a);
}
