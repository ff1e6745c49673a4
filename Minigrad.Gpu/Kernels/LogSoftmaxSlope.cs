using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>With y = a the log softmax, g = b its gradient and s = c = Σ g: g − eʸ · s.</summary>
internal readonly struct LogSoftmaxSlope : ITernaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T> => b - (T.Exp(a) * c);
}
