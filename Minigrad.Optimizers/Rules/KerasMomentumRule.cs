using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>v ← μ · v − η · g, p ← p + v: momentum with the learning rate inside, as in Keras 3, so that a changed rate acts on what comes and not on what was.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="momentum">μ.</param>
public readonly struct KerasMomentumRule(float learningRate, float momentum) : IUpdateRule
{
    private readonly float learningRate = learningRate;
    private readonly float momentum = momentum;

    /// <inheritdoc/>
    public int StateCount => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T velocity, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        velocity = Running.Sum(velocity, momentum, -learningRate * gradient);
        parameter += velocity;
    }
}
