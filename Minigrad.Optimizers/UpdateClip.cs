using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// Clips the update of each parameter, where <see cref="Clip"/> clips gradients: it sees what the optimizer is about to do,
/// after momentum and division. The whole update of a parameter is multiplied by one coefficient of at most 1, so its
/// direction stays. Set it as <see cref="Optimizer.UpdateClip"/>.
/// </summary>
/// <remarks>
/// <para>Measuring the update before it is made takes a second pass over gradient, parameter and state. What an optimizer
/// remembers advances as without the clip. Weight decay that is added to the gradient is part of the update; decoupled
/// decay is not, but <see cref="StableAdamW"/> multiplies it as well, as its paper does.</para>
/// <para>The update is found by running the rule on a parameter of 0, so a rule of your own may add to the parameter it is
/// given, but must not read it.</para>
/// </remarks>
public abstract class UpdateClip
{
    private protected UpdateClip()
    {
    }

    /// <summary>
    /// Adafactor's clip: u ← u / max(1, RMS(u) / d) with u = Δ / η, the update without the learning rate, and RMS(u) = √mean(u²)
    /// (Shazeer and Stern, 2018, arXiv:1804.04235, section 6).
    /// </summary>
    /// <param name="threshold">d; +∞ never clips.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static UpdateClip Rms(double threshold = 1) => new RmsUpdateClip(threshold);

    /// <summary>
    /// StableAdamW's clip: the learning rate of a parameter is divided by max(1, √mean(g² / max(v̂, ε²))), which is large
    /// when the mean square v̂ has not yet followed a gradient that has grown (Wortsman et al., 2023, arXiv:2304.13013,
    /// algorithm 2). It needs an optimizer that keeps v̂, and the v̂ is the one it divides by: AMSGrad's is the largest so
    /// far, that of centred RMSProp has the mean taken out.
    /// </summary>
    /// <param name="epsilon">ε, the smallest √v̂ that counts.</param>
    /// <exception cref="ArgumentOutOfRangeException">ε is not positive, or so small that its square is 0 in float32.</exception>
    public static UpdateClip StableAdamW(double epsilon = 1e-8) => new StableAdamWUpdateClip(epsilon);

    /// <summary>
    /// Clippy: Δ ← Δ · min(1, minᵢ (λ · |wᵢ| + α) / |Δᵢ|), so that no weight moves by more than a part of itself
    /// (Tang et al., 2023, arXiv:2302.09178). Δ includes the learning rate.
    /// </summary>
    /// <param name="relative">λ, the largest change relative to a weight, not negative.</param>
    /// <param name="absolute">α, which is added so that weights of 0 can move.</param>
    /// <exception cref="ArgumentOutOfRangeException">λ is negative, or α is not positive.</exception>
    public static UpdateClip Clippy(double relative = 0.1, double absolute = 1e-7) => new ClippyUpdateClip(relative, absolute);

    /// <summary>What the clip does, in short: <c>Rms(1)</c>.</summary>
    public abstract override string ToString();

    /// <summary>Whether only an optimizer with a mean square can have it.</summary>
    internal virtual bool NeedsSecondMoment => false;

    /// <summary>Updates parameters by a rule, in part.</summary>
    internal abstract void Apply<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule;

    /// <summary>Updates parameters by a rule that has a mean square, in part.</summary>
    internal virtual void ApplyWithSecondMoment<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, ISecondMoment => Apply<TStep, TRule>(update, step, targets);
}
