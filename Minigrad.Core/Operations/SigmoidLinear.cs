using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x · sigmoid(x), silu or swish (Elfwing et al., 2017, arXiv:1702.03118).</summary>
public readonly struct SigmoidLinear : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => x * T.Sigmoid(x);
}
