using System.Globalization;
using Minigrad.Backends;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers.Clipping;

/// <summary>The clip by <see cref="ClippyLimit{TRule}"/>.</summary>
/// <param name="relative">λ.</param>
/// <param name="absolute">α.</param>
/// <param name="threshold">How many times its bound an update may be.</param>
internal sealed class ClippyUpdateClip(double relative, double absolute, Threshold threshold) : UpdateClip(
    nameof(Clippy), threshold, string.Create(CultureInfo.InvariantCulture, $", relative {relative}, absolute {absolute}"))
{
    private readonly double relative = relative >= 0 && double.IsFinite(relative) ? relative : throw new ArgumentOutOfRangeException(
        nameof(relative), relative, $"UpdateClip.Clippy: the relative bound is a part of each weight and must be a finite number that is not negative, but it is {relative}.");

    private readonly double absolute = (float)absolute > 0 && double.IsFinite(absolute) ? absolute : throw new ArgumentOutOfRangeException(
        nameof(absolute), absolute, $"UpdateClip.Clippy: the absolute bound must be positive and finite, but it is {absolute}; with 0, one weight of 0 would hold its whole tensor still.");

    /// <inheritdoc/>
    internal override void Apply<TStep, TRule>(UpdateStep update, TStep step, ReadOnlySpan<UpdateTarget> targets) =>
        update.MakeClipped<TStep, TRule, ClippyLimit<TRule>>(step, new ClippyLimit<TRule>(relative, absolute), targets);
}
