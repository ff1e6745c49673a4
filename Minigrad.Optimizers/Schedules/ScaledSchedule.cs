namespace Minigrad.Optimizers.Schedules;

/// <summary>A schedule times a number.</summary>
/// <param name="schedule">The schedule.</param>
/// <param name="factor">What to multiply by.</param>
internal sealed class ScaledSchedule(Schedule schedule, double factor) : Schedule
{
    private readonly double factor = CheckFinite(factor, nameof(factor), nameof(Scaled));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => factor * schedule.At(step);
}
