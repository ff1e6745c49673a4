using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>b ← μ · b + γ · g, p ← p − η · b (Polyak, 1964).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="momentum">μ.</param>
/// <param name="gain">γ: 1 at the first step, 1 − dampening after it.</param>
public readonly struct MomentumRule(float learningRate, float momentum, float gain) : IUpdateRule
{
    private readonly float learningRate = learningRate;
    private readonly float momentum = momentum;
    private readonly float gain = gain;

    /// <inheritdoc/>
    public int StateCount => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T buffer, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        buffer = Running.Sum(buffer, momentum, gain * gradient);
        parameter -= learningRate * buffer;
    }
}
