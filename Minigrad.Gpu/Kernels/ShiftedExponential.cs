using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>With m = b the largest of a row: y = e^(a − m), a term of softmax that cannot overflow.</summary>
internal readonly struct ShiftedExponential : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Exp(a - b);
}
