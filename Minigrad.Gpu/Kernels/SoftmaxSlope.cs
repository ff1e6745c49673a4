using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>With y = a the softmax, g = b its gradient and p = c = Σ g·y: y · (g − p).</summary>
internal readonly struct SoftmaxSlope : ITernaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T> => a * (b - c);
}
