using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>s ← s + g², p ← p − η · g / √(s + ε): Adagrad with ε inside the root, as in Keras 3.</summary>
/// <param name="learningRate">The learning rate η.</param>
/// <param name="epsilon">ε, inside the root.</param>
public readonly struct KerasAdagradRule(float learningRate, float epsilon) : IUpdateRule
{
    private readonly float learningRate = learningRate;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T sum, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        sum += gradient * gradient;
        parameter -= learningRate * gradient / T.Sqrt(sum + epsilon);
    }
}
