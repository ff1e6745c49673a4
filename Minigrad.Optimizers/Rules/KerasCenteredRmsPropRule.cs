using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>v ← ρ · v + (1 − ρ) · g², ḡ ← ρ · ḡ + (1 − ρ) · g, m ← μ · m + η · g / √(v − ḡ² + ε), p ← p − m, as in Keras 3, but that rounding may not make the variance negative.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="decay">ρ.</param>
/// <param name="rate">1 − ρ.</param>
/// <param name="momentum">μ.</param>
/// <param name="epsilon">ε, inside the root.</param>
public readonly struct KerasCenteredRmsPropRule(float learningRate, float decay, float rate, float momentum, float epsilon) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly float decay = decay;
    private readonly float rate = rate;
    private readonly float momentum = momentum;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 3;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T mean, ref T buffer)
        where T : struct, IReal<T>
    {
        square = Running.MeanSquare(square, decay, rate, gradient);
        mean = Running.Sum(mean, decay, rate * gradient);
        buffer = Running.Sum(buffer, momentum, learningRate * gradient / T.Sqrt(MeanSquare.Variance(square, mean) + epsilon));
        parameter -= buffer;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => MeanSquare.Variance(first, second);
}
