using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>v ← ρ · v + (1 − ρ) · g², m ← μ · m + η · g / √(v + ε), p ← p − m: RMSProp with ε inside the root and the learning rate inside the momentum, as in Keras 3.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="decay">ρ.</param>
/// <param name="rate">1 − ρ.</param>
/// <param name="momentum">μ.</param>
/// <param name="epsilon">ε, inside the root.</param>
public readonly struct KerasRmsPropRule(float learningRate, float decay, float rate, float momentum, float epsilon) : ISecondMoment
{
    private readonly float learningRate = learningRate;
    private readonly float decay = decay;
    private readonly float rate = rate;
    private readonly float momentum = momentum;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T square, ref T buffer, ref T third)
        where T : struct, IReal<T>
    {
        square = Running.MeanSquare(square, decay, rate, gradient);
        buffer = Running.Sum(buffer, momentum, learningRate * gradient / T.Sqrt(square + epsilon));
        parameter -= buffer;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => first;
}
