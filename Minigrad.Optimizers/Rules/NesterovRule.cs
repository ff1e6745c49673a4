using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>b ← μ · b + g, p ← p − η · (g + μ · b) (Nesterov, 1983; in the form of Sutskever et al., 2013).</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="momentum">μ.</param>
public readonly struct NesterovRule(float learningRate, float momentum) : IUpdateRule
{
    private readonly float learningRate = learningRate;
    private readonly float momentum = momentum;

    /// <inheritdoc/>
    public int StateCount => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T buffer, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        buffer = Running.Sum(buffer, momentum, gradient);
        parameter -= learningRate * (gradient + (momentum * buffer));
    }
}
