using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>
/// Clips the update of each parameter, where <see cref="Clip"/> clips gradients: it sees what the optimizer is about to do,
/// after momentum and division. The whole update of a parameter is multiplied by one coefficient of at most 1, so its
/// direction stays. Set it as <see cref="Optimizer.UpdateClip"/>, or as <see cref="ParameterGroup.UpdateClip"/> of a group.
/// </summary>
/// <remarks>
/// <para>Each clip has a size of the update and a <see cref="Threshold"/> c: the coefficient is c / max(size, c). A rule that sees
/// the past sees these sizes, each parameter's in a history of its own; the norm that it speaks of is the size, and so is
/// the norm of all together, which a single parameter does not have. As in the stages that clip gradients, a step that is not made leaves
/// no trace, and a size that is 0 or not finite enters no history.</para>
/// <para>Measuring the update before it is made takes a second pass over gradient, parameter and state. What an optimizer
/// remembers advances as without the clip. Weight decay that is added to the gradient is part of the update; decoupled
/// decay is not, but <see cref="StableAdamW"/> multiplies it as well, as its paper does.</para>
/// <para>The update is found by running the rule on a parameter of 0, so a rule of your own may add to the parameter it is
/// given, but must not read it.</para>
/// </remarks>
public abstract class UpdateClip
{
    private protected UpdateClip(string name, Threshold threshold, string details = "") =>
        History = new ThresholdHistory(nameof(UpdateClip), name, threshold, ThresholdScope.Parameter, details);

    /// <summary>
    /// Adafactor's clip: u ← u / max(1, RMS(u) / d) with u = Δ / η, the update without the learning rate, and RMS(u) = √mean(u²)
    /// (Shazeer and Stern, 2018, arXiv:1804.04235, section 6).
    /// </summary>
    /// <remarks>
    /// Under a learning rate of 0 there is no u, and nothing is clipped or remembered. Most updates are 0 then; that of a velocity as
    /// Keras has it, which has the rates of the past in it, is made whole.
    /// </remarks>
    /// <param name="threshold">d, 1 if not given; +∞ measures and never clips. A rule sees RMS(u).</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    public static UpdateClip Rms(Threshold? threshold = null) => new RmsUpdateClip(threshold ?? 1);

    /// <summary>
    /// StableAdamW's clip: the learning rate of a parameter is divided by max(1, √mean(g² / max(v̂, ε²))), which is large
    /// when the mean square v̂ has not yet followed a gradient that has grown (Wortsman et al., 2023, arXiv:2304.13013,
    /// algorithm 2). It needs an optimizer that keeps v̂, and the v̂ is the one it divides by: AMSGrad's is the largest so
    /// far, that of centred RMSProp has the mean taken out.
    /// </summary>
    /// <param name="epsilon">ε, the smallest √v̂ that counts.</param>
    /// <param name="threshold">
    /// What the root is compared with, 1 if not given as in the paper: η ← η / max(1, √mean(g² / max(v̂, ε²)) / c). A rule sees the root.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">ε is infinite, NaN or below 1.1 · 10⁻¹⁹, whose square is the smallest normal float32; or the threshold is 0, negative or NaN.</exception>
    public static UpdateClip StableAdamW(double epsilon = 1e-8, Threshold? threshold = null) =>
        new StableAdamWUpdateClip(epsilon, threshold ?? 1);

    /// <summary>
    /// Clippy: Δ ← Δ · min(1, minᵢ (λ · |wᵢ| + α) / |Δᵢ|), so that the update moves no weight by more than a part of itself
    /// (Tang et al., 2023, arXiv:2302.09178). Δ includes the learning rate. Decoupled weight decay, as <see cref="AdamW"/> has it, is
    /// outside of Δ and comes on top: η · λ of the decay times the weight.
    /// </summary>
    /// <remarks>
    /// A λ that follows the past would have to follow from one number, and no number says of every λ what it leaves of an update as long
    /// as α stays. So what changes is a multiple of the whole bound: c · (λ · |wᵢ| + α), of which λ and α are the shape. With a small α it
    /// is c · λ that is changed. Where α is so small that the size is above float32's range, the coefficient is 0: the update is left out, under
    /// a rule too, which has no threshold for such a size (the report has NaN there).
    /// </remarks>
    /// <param name="relative">λ, the largest change relative to a weight, not negative.</param>
    /// <param name="absolute">α, which is added so that weights of 0 can move.</param>
    /// <param name="threshold">c, how many times its bound an update may be, 1 if not given as in the paper. A rule sees maxᵢ |Δᵢ| / (λ · |wᵢ| + α).</param>
    /// <exception cref="ArgumentOutOfRangeException">λ is negative or not finite, or α is not finite or not positive in float32, where it is 0 below 7 · 10⁻⁴⁶; or the threshold is 0, negative or NaN.</exception>
    public static UpdateClip Clippy(double relative = 0.1, double absolute = 1e-7, Threshold? threshold = null) =>
        new ClippyUpdateClip(relative, absolute, threshold ?? 1);

    /// <summary>What the clip does, in short: <c>Rms(1)</c>.</summary>
    public sealed override string ToString() => History.Text;

    /// <summary>Its threshold, and the sizes of updates that it remembers.</summary>
    internal ThresholdHistory History { get; }

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
