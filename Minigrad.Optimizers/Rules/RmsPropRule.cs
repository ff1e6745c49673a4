using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>p ← p − η · g / (√v + ε) with v the running mean of g² (Tieleman and Hinton, 2012).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="meanSquare">The running mean of g², and what is divided by.</param>
public readonly struct RmsPropRule(float learningRate, MeanSquare meanSquare) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly MeanSquare meanSquare = meanSquare;

    /// <inheritdoc/>
    public int StateCount => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        parameter -= learningRate * meanSquare.Normalize(gradient, ref square);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => first;
}
