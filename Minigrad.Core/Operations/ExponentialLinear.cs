using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x for x &gt; 0, α · (eˣ − 1) elsewhere (Clevert et al., 2015, arXiv:1511.07289).</summary>
/// <param name="alpha">α.</param>
public readonly struct ExponentialLinear(float alpha) : IUnaryOp
{
    private readonly float alpha = alpha;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Less(0f, x, x, alpha * T.ExpM1(x));
}
