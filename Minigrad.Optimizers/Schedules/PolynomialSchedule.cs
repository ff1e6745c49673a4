namespace Minigrad.Optimizers.Schedules;

/// <summary>v₀ · (1 − min(t, T) / T)ᵖ.</summary>
/// <param name="initial">v₀.</param>
/// <param name="length">T.</param>
/// <param name="power">p.</param>
internal sealed class PolynomialSchedule(double initial, int length, double power) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(Polynomial));
    private readonly int length = CheckLength(length, nameof(length), nameof(Polynomial));
    private readonly double power = CheckPositive(power, nameof(power), nameof(Polynomial));

    /// <inheritdoc/>
    protected override double ValueAt(int step) =>
        initial * Math.Pow(1 - ((double)Math.Min(step, length) / length), power);
}
