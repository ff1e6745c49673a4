using Minigrad.Operations;

namespace Minigrad.Optimizers;

/// <summary>
/// How large a loss is made before backward, so that small gradients do not vanish in half precision: a fixed scale, or one
/// that is searched for while training (Micikevicius et al., 2017, arXiv:1710.03740). Powers of two change no bit of a
/// gradient that neither overflows nor underflows.
/// </summary>
/// <example>
/// <code>
/// var optimizer = new Adam(model.Parameters) { LossScaling = LossScaling.Dynamic() };
/// optimizer.Scale(loss).Backward();
/// optimizer.Step();
/// </code>
/// </example>
public sealed class LossScaling
{
    private readonly string text;

    private LossScaling(double initial, LossScaleRule rule, string text)
    {
        Initial = initial;
        Rule = rule;
        this.text = text;
    }

    /// <summary>The scale at the beginning.</summary>
    public double Initial { get; }

    /// <summary>Whether the scale follows what becomes of the steps.</summary>
    public bool IsDynamic => Rule.IsDynamic;

    /// <summary>What becomes of the scale after a step.</summary>
    internal LossScaleRule Rule { get; }

    /// <summary>A scale that stays. A gradient that overflows is dealt with as <see cref="Optimizer.NonFinite"/> says.</summary>
    /// <param name="scale">The scale, rounded to float32.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not a positive finite float32.</exception>
    public static LossScaling Static(double scale)
    {
        Check((float)scale > 0 && float.IsFinite((float)scale), scale, nameof(Static), nameof(scale), "be a positive finite float32: it is what the loss is multiplied by and gradients are divided by");
        return new LossScaling((float)scale, default, FormattableString.Invariant($"Static({scale:g})"));
    }

    /// <summary>
    /// A scale that grows after enough good steps in a row and falls when a gradient overflows. Any step that is skipped ends the row. A step whose gradients are not
    /// finite is skipped, whatever <see cref="Optimizer.NonFinite"/> says, and counted as other skipped steps are; the scale
    /// never falls below 1. The defaults are PyTorch's, but for the maximum, which it does not have.
    /// </summary>
    /// <param name="initial">The scale at the beginning, at least 1.</param>
    /// <param name="growthFactor">What it is multiplied by to grow, above 1.</param>
    /// <param name="backoffFactor">What it is multiplied by after an overflow, between 0 and 1.</param>
    /// <param name="growthInterval">After how many good steps in a row it grows, at least 1.</param>
    /// <param name="maximum">What it never exceeds, at least the initial scale, so that it stays finite where nothing overflows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not as it must be.</exception>
    public static LossScaling Dynamic(
        double initial = 65536, double growthFactor = 2, double backoffFactor = 0.5, int growthInterval = 2000, double maximum = 16777216)
    {
        const string Stage = nameof(Dynamic);
        Check(initial >= 1 && float.IsFinite((float)initial), initial, Stage, nameof(initial), "be at least 1 and a finite float32: below 1 a scale makes small gradients smaller");
        Check(growthFactor > 1 && double.IsFinite(growthFactor), growthFactor, Stage, nameof(growthFactor), "be finite and above 1, or the scale would never come back after an overflow");
        Check(backoffFactor > 0 && backoffFactor < 1, backoffFactor, Stage, nameof(backoffFactor), "be between 0 and 1, or an overflow would come again at every step");
        Check(growthInterval >= 1, growthInterval, Stage, nameof(growthInterval), "be at least 1: it is a number of steps");
        Check(maximum >= initial && float.IsFinite((float)maximum), maximum, Stage, nameof(maximum), $"be a finite float32 and at least the initial scale, {initial:g}");
        return new LossScaling(
            (float)initial,
            new LossScaleRule(growthFactor, backoffFactor, growthInterval, (float)maximum),
            FormattableString.Invariant($"Dynamic({initial:g}, growth {growthFactor:g} after {growthInterval} steps, backoff {backoffFactor:g}, maximum {maximum:g})"));
    }

    /// <summary>The kind and its numbers: <c>Static(1024)</c>.</summary>
    public override string ToString() => text;

    private static void Check(bool holds, double value, string kind, string name, string rule)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"LossScaling.{kind}: {name} must {rule}; it is {value:g}.");
        }
    }
}
