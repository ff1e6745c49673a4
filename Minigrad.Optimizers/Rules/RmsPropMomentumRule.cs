using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>b ← μ · b + g / (√v + ε), p ← p − η · b.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="meanSquare">The running mean of g², and what is divided by.</param>
/// <param name="momentum">μ.</param>
public readonly struct RmsPropMomentumRule(float learningRate, MeanSquare meanSquare, float momentum) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly MeanSquare meanSquare = meanSquare;
    private readonly float momentum = momentum;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T buffer, ref T third)
        where T : struct, IReal<T>
    {
        buffer = Running.Sum(buffer, momentum, meanSquare.Normalize(gradient, ref square));
        parameter -= learningRate * buffer;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => first;
}
