using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With x = a a logit and t = b its target: y = ln(1 + eˣ) − t · x, the binary cross-entropy of sigmoid(x) without overflow.</summary>
public readonly struct BinaryCrossEntropyOfLogit : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Softplus(a) - (b * a);
}
