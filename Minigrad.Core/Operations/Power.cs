using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>y = aᵇ; see <see cref="IReal{T}.Pow"/> for its conventions.</summary>
public readonly struct Power : IBinaryOp
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T a, T b)
        where T : struct, IReal<T> => T.Pow(a, b);
}
