using System.Globalization;
using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Clipping;

/// <summary>The clip by <see cref="StableAdamWLimit{TRule}"/>.</summary>
/// <param name="epsilon">ε.</param>
/// <param name="threshold">How far the mean square may lag behind.</param>
internal sealed class StableAdamWUpdateClip(double epsilon, Threshold threshold) : UpdateClip(
    nameof(StableAdamW), threshold, string.Create(CultureInfo.InvariantCulture, $", epsilon {epsilon}"))
{
    private const double Smallest = 1.1e-19;

    private readonly double epsilon = epsilon >= Smallest && double.IsFinite(epsilon) ? epsilon : throw new ArgumentOutOfRangeException(
        nameof(epsilon), epsilon, $"UpdateClip.StableAdamW: epsilon must be at least {Smallest:0.0e+0}, whose square is the smallest normal float32, but it is {epsilon}. The gradient is divided by the root of the mean square, and epsilon is what keeps that from 0.");

    /// <inheritdoc/>
    internal override bool NeedsSecondMoment => true;

    /// <inheritdoc/>
    internal override void Apply<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets) =>
        throw new InvalidOperationException(
            $"UpdateClip.StableAdamW was asked to clip the update of {typeof(TRule).Name}, which does not say what its mean square is. Implement ISecondMoment in the rule and call UpdateStep.ApplyWithSecondMoment in place of Apply.");

    /// <inheritdoc/>
    internal override void ApplyWithSecondMoment<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets) =>
        update.MakeClipped<TStep, TRule, StableAdamWLimit<TRule>>(step, new StableAdamWLimit<TRule>(epsilon), targets);
}
