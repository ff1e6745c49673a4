namespace Minigrad.Optimizers.Schedules;

/// <summary>v₀ · γ^⌊t / size⌋.</summary>
/// <param name="initial">v₀.</param>
/// <param name="size">How many steps a value is held.</param>
/// <param name="factor">γ.</param>
internal sealed class StepSchedule(double initial, int size, double factor) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(Steps));
    private readonly int size = CheckLength(size, nameof(size), nameof(Steps));
    private readonly double factor = CheckFactor(factor, nameof(factor), nameof(Steps));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => initial * Math.Pow(factor, step / size);
}
