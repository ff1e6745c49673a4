namespace Minigrad.Optimizers.Schedules;

/// <summary>v₀ · γᵗ.</summary>
/// <param name="initial">v₀.</param>
/// <param name="factor">γ.</param>
internal sealed class ExponentialSchedule(double initial, double factor) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(Exponential));
    private readonly double factor = CheckFactor(factor, nameof(factor), nameof(Exponential));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => initial * Math.Pow(factor, step);
}
