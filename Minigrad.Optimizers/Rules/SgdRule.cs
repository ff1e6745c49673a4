using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>p ← p − η · g.</summary>
/// <param name="learningRate">The learning rate η.</param>
public readonly struct SgdRule(float learningRate) : IUpdateRule
{
    private readonly float learningRate = learningRate;

    /// <inheritdoc/>
    public int StateCount => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        parameter -= learningRate * gradient;
    }
}
