namespace Minigrad.Optimizers.Schedules;

/// <summary>m + ½ · (v₀ − m) · (1 + cos(π · t / T)).</summary>
/// <param name="initial">v₀.</param>
/// <param name="length">T.</param>
/// <param name="minimum">m.</param>
internal sealed class CosineSchedule(double initial, int length, double minimum) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(Cosine));
    private readonly int length = CheckLength(length, nameof(length), nameof(Cosine));
    private readonly double minimum = CheckFinite(minimum, nameof(minimum), nameof(Cosine));

    /// <summary>Between two values along half a wave: the first at position 0, the second at 1.</summary>
    internal static double HalfWave(double from, double to, double position) =>
        to + (0.5 * (from - to) * (1 + Math.Cos(Math.PI * position)));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => HalfWave(initial, minimum, (double)step / length);
}
