using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>Adam with the largest v so far in place of v (Reddi, Kale and Kumar, 2018, arXiv:1904.09237).</summary>
/// <param name="moments">The running means.</param>
/// <param name="stepSize">η / (1 − β₁ᵗ).</param>
/// <param name="secondScale">1 / √(1 − β₂ᵗ).</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct AmsGradRule(Moments moments, float stepSize, float secondScale, float epsilon) : ISecondMoment
{
    private readonly Moments moments = moments;
    private readonly float stepSize = stepSize;
    private readonly float secondScale = secondScale;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 3;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T mean, ref T square, ref T largest)
        where T : struct, IReal<T>
    {
        moments.Update(gradient, ref mean, ref square);
        largest = T.Max(largest, square);
        parameter -= stepSize * mean / ((T.Sqrt(largest) * secondScale) + epsilon);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => (secondScale * secondScale) * third;
}
