using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Clipping;

/// <summary>The clip by <see cref="RmsLimit{TRule}"/>.</summary>
/// <param name="threshold">d.</param>
internal sealed class RmsUpdateClip(Threshold threshold) : UpdateClip(nameof(Rms), threshold)
{
    /// <inheritdoc/>
    internal override void Apply<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets) =>
        update.MakeClipped<TStep, TRule, RmsLimit<TRule>>(step, new RmsLimit<TRule>(update.LearningRate), targets);
}
