using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Clipping;

/// <summary>The clip by <see cref="RmsLimit{TRule}"/>.</summary>
/// <param name="threshold">d.</param>
internal sealed class RmsUpdateClip(double threshold) : UpdateClip
{
    private readonly double threshold = threshold > 0 ? threshold : throw new ArgumentOutOfRangeException(
        nameof(threshold), threshold, $"UpdateClip.Rms: the threshold is the largest root mean square of an update and must be positive, but it is {threshold}. +∞ measures and never clips; to make no update set the learning rate to 0.");

    /// <inheritdoc/>
    public override string ToString() => $"Rms({threshold})";

    /// <inheritdoc/>
    internal override void Apply<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets) =>
        update.MakeClipped<TStep, TRule, RmsLimit<TRule>>(step, new RmsLimit<TRule>(threshold, update.LearningRate), targets);
}
