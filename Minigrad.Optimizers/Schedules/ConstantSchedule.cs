namespace Minigrad.Optimizers.Schedules;

/// <summary>Always the same value.</summary>
/// <param name="value">The value.</param>
internal sealed class ConstantSchedule(double value) : Schedule
{
    private readonly double value = CheckFinite(value, nameof(value), nameof(Constant));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => value;
}
