using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>With m and v the running means of g and g²: p ← p − η̂ · m / (√v · c + ε), where η̂ = η / (1 − β₁ᵗ) and c = 1 / √(1 − β₂ᵗ) correct their bias towards 0 (Kingma and Ba, 2014, arXiv:1412.6980).</summary>
/// <param name="moments">The running means.</param>
/// <param name="stepSize">η̂.</param>
/// <param name="secondScale">c.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct AdamRule(Moments moments, float stepSize, float secondScale, float epsilon) : ISecondMoment
{
    private readonly Moments moments = moments;
    private readonly float stepSize = stepSize;
    private readonly float secondScale = secondScale;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T mean, ref T square, ref T third)
        where T : struct, IReal<T>
    {
        moments.Update(gradient, ref mean, ref square);
        parameter -= stepSize * mean / ((T.Sqrt(square) * secondScale) + epsilon);
    }

    /// <summary>The rule with its step multiplied by a factor.</summary>
    /// <param name="factor">The factor.</param>
    public AdamRule Slowed(float factor) => new(moments, factor * stepSize, secondScale, epsilon);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => (secondScale * secondScale) * second;
}
