using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>With p = a a probability and t = b its target: y = −t · ln p − (1 − t) · ln(1 − p), each logarithm at least −100 as in PyTorch.</summary>
public readonly struct BinaryCrossEntropy : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => -((b * T.Max(T.Log(a), -100f)) + ((1f - b) * T.Max(T.Log1P(-a), -100f)));
}
