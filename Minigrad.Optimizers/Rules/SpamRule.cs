using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers.Rules;

/// <summary>
/// Adam of a gradient whose spikes are cut: g ← sign(g) · √(θ · v) where g² &gt; θ · v &gt; 0 (Huang et al., 2025, arXiv:2501.06842).
/// What is measured is max g² / v over the elements with v &gt; 0, which θ is compared with.
/// </summary>
/// <param name="adam">Adam's rule, with the warm-up in its step size.</param>
/// <param name="threshold">θ, +∞ where spikes are not looked for.</param>
/// <param name="carried">What the running means are multiplied by before anything else: 0 where they begin anew, else 1.</param>
/// <param name="known">What v is multiplied by to be measured with: 0 where there is nothing to compare with or no spikes are looked for, else 1.</param>
public readonly struct SpamRule(AdamRule adam, float threshold, float carried, float known) : ISecondMoment, IUpdateMeasure
{
    /// <summary>
    /// A power of two, so that to multiply by it rounds nothing, by which √v is made larger: |g| / √v of the largest usable g and the
    /// smallest v would be above float32's range, and an infinite size has no threshold.
    /// </summary>
    private const double Unit = 1L << 40;

    private readonly AdamRule adam = adam;
    private readonly float threshold = threshold;
    private readonly float carried = carried;
    private readonly float known = known;

    /// <inheritdoc/>
    public static double Order => double.PositiveInfinity;

    /// <inheritdoc/>
    public int StateCount => adam.StateCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Measure<T>(T parameter, T gradient, T first, T second, T third)
        where T : struct, IReal<T>
    {
        T square = known * second;
        return T.Less(0f, square, T.Abs(gradient) / ((float)Unit * T.Sqrt(square)), 0f);
    }

    /// <inheritdoc/>
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath => norm * Unit * (norm * Unit);

    /// <inheritdoc/>
    public double Factor(double size, double threshold) =>
        new NormDecision(isCommon: 0, (int)NormMeasure.Norm, epsilon: 0.0).Factor(size, threshold);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T mean, ref T square, ref T third)
        where T : struct, IReal<T>
    {
        mean = carried * mean;
        square = carried * square;
        T largest = T.Sqrt(threshold * square);
        T cut = T.Less(gradient, 0f, -largest, largest);
        T usual = T.Less(largest, T.Abs(gradient), cut, gradient);
        adam.Update(ref parameter, T.Less(0f, square, usual, gradient), ref mean, ref square, ref third);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T SecondMoment<T>(T first, T second, T third)
        where T : struct, IReal<T> => adam.SecondMoment(first, second, third);
}
