using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>Rectified Adam: p ← p − m · (α + β / (√v + ε)), where early steps have only α and later ones only β (Liu et al., 2019, arXiv:1908.03265).</summary>
/// <param name="moments">The running means.</param>
/// <param name="plainShare">α = η / (1 − β₁ᵗ) while the variance of v is not yet tractable, else 0.</param>
/// <param name="adaptiveShare">β = η · r · √(1 − β₂ᵗ) / (1 − β₁ᵗ) with the rectification r, else 0.</param>
/// <param name="secondScale">1 / √(1 − β₂ᵗ), which corrects the bias of v.</param>
/// <param name="epsilon">ε, outside the root.</param>
public readonly struct RAdamRule(Moments moments, float plainShare, float adaptiveShare, float secondScale, float epsilon) : ISecondMoment
{
    private readonly Moments moments = moments;
    private readonly float plainShare = plainShare;
    private readonly float adaptiveShare = adaptiveShare;
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
        parameter -= mean * (plainShare + (adaptiveShare / (T.Sqrt(square) + epsilon)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => (secondScale * secondScale) * second;
}
