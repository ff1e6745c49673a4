using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>v ← ρ · v + (1 − ρ) · g², d = g · √(a + ε) / √(v + ε), a ← ρ · a + (1 − ρ) · d², p ← p − η · d (Zeiler, 2012, arXiv:1212.5701).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="decay">ρ.</param>
/// <param name="rate">1 − ρ.</param>
/// <param name="epsilon">ε, inside both roots.</param>
public readonly struct AdadeltaRule(float learningRate, float decay, float rate, float epsilon) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly float decay = decay;
    private readonly float rate = rate;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T moved, ref T third)
        where T : struct, IReal<T>
    {
        square = Running.MeanSquare(square, decay, rate, gradient);
        T step = gradient * (T.Sqrt(moved + epsilon) / T.Sqrt(square + epsilon));
        moved = Running.MeanSquare(moved, decay, rate, step);
        parameter -= learningRate * step;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => first;
}
