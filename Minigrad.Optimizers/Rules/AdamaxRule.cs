using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>m ← β₁ · m + (1 − β₁) · g, u ← max(β₂ · u, |g| + ε), p ← p − η̂ · m / u (Kingma and Ba, 2014, arXiv:1412.6980, section 7.1).</summary>
/// <param name="stepSize">η̂ = η / (1 − β₁ᵗ).</param>
/// <param name="meanRate">1 − β₁.</param>
/// <param name="decay">β₂.</param>
/// <param name="epsilon">ε.</param>
public readonly struct AdamaxRule(float stepSize, float meanRate, float decay, float epsilon) : IUpdateRule
{
    private readonly float stepSize = stepSize;
    private readonly float meanRate = meanRate;
    private readonly float decay = decay;
    private readonly float epsilon = epsilon;

    /// <inheritdoc/>
    public int StateCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T mean, ref T largest, ref T third)
        where T : struct, IReal<T>
    {
        mean = Running.Mean(mean, meanRate, gradient);
        largest = Running.Largest(largest, decay, T.Abs(gradient) + epsilon);
        parameter -= stepSize * mean / largest;
    }
}
