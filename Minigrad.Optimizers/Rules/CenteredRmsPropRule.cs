using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>p ← p − η · g / (√(v − ḡ²) + ε) with v and ḡ the running means of g² and g (Graves, 2013, arXiv:1308.0850).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="meanSquare">The running mean of g², and what is divided by.</param>
public readonly struct CenteredRmsPropRule(float learningRate, MeanSquare meanSquare) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly MeanSquare meanSquare = meanSquare;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T mean, ref T third)
        where T : struct, IReal<T>
    {
        parameter -= learningRate * meanSquare.NormalizeCentered(gradient, ref square, ref mean);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => MeanSquare.Variance(first, second);
}
