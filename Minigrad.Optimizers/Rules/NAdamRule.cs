using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>Adam with Nesterov momentum: p ← p − (α · g + β · m) / (√v · c + ε) (Dozat, 2016).</summary>
/// <param name="moments">The running means.</param>
/// <param name="gradientShare">α = η · (1 − μₜ) / (1 − Π μ).</param>
/// <param name="meanShare">β = η · μₜ₊₁ / (1 − Π μ · μₜ₊₁).</param>
/// <param name="secondScale">c = 1 / √(1 − β₂ᵗ).</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct NAdamRule(Moments moments, float gradientShare, float meanShare, float secondScale, float epsilon) : ISecondMoment
{
    private readonly Moments moments = moments;
    private readonly float gradientShare = gradientShare;
    private readonly float meanShare = meanShare;
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
        T step = (gradientShare * gradient) + (meanShare * mean);
        parameter -= step / ((T.Sqrt(square) * secondScale) + epsilon);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => (secondScale * secondScale) * second;
}
