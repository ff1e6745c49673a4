using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>Adam of a gradient whose spikes are cut: g ← sign(g) · √(θ · v) where g² &gt; θ · v &gt; 0 (Huang et al., 2025, arXiv:2501.06842).</summary>
/// <param name="adam">Adam's rule, with the warm-up in its step size.</param>
/// <param name="threshold">θ, +∞ where spikes are not looked for.</param>
/// <param name="carried">What the running means are multiplied by before anything else: 0 where they begin anew, else 1.</param>
public readonly struct SpamRule(AdamRule adam, float threshold, float carried) : ISecondMoment
{
    private readonly AdamRule adam = adam;
    private readonly float threshold = threshold;
    private readonly float carried = carried;

    /// <inheritdoc/>
    public int StateCount => adam.StateCount;

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
