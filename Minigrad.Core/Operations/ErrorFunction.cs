using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = erf x = 2/√π · ∫₀ˣ e^(−t²) dt.</summary>
public readonly struct ErrorFunction : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> => T.Erf(x);
}
