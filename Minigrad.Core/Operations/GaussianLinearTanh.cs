using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = ½ x · (1 + tanh(√(2/π) · (x + 0.044715 x³))), the approximation of gelu by tanh.</summary>
public readonly struct GaussianLinearTanh : IUnaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T> =>
        0.5f * x * (1f + T.Tanh(Constants.RootTwoOverPi * (x + (0.044715f * (x * x * x)))));
}
