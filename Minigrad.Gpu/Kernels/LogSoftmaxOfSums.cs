using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>With m = b the largest of a row and s = c the sum of its shifted exponentials: y = a − m − ln s.</summary>
internal readonly struct LogSoftmaxOfSums : ITernaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b, T c)
        where T : struct, IReal<T> => a - b - T.Log(c);
}
