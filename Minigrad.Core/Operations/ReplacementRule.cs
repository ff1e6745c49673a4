using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>p ← g: what an update reads of a gradient, written down.</summary>
public readonly struct ReplacementRule : IUpdateRule
{
    /// <inheritdoc/>
    public int StateCount => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
        where T : struct, IReal<T> => parameter = gradient;
}
