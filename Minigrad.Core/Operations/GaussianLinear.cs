using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = x · Φ(x) with Φ the normal distribution function, gelu (Hendrycks and Gimpel, 2016, arXiv:1606.08415).</summary>
public readonly struct GaussianLinear : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => 0.5f * x * (1f + T.Erf(x * Constants.InverseRootTwo));
}
