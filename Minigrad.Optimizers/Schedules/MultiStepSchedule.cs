namespace Minigrad.Optimizers.Schedules;

/// <summary>v₀ · γ^k, where k is how many of the milestones were reached.</summary>
internal sealed class MultiStepSchedule : Schedule
{
    private readonly double initial;
    private readonly int[] milestones;
    private readonly double factor;

    /// <summary>A schedule.</summary>
    /// <param name="initial">v₀.</param>
    /// <param name="milestones">After how many steps each reduction comes.</param>
    /// <param name="factor">γ.</param>
    public MultiStepSchedule(double initial, IReadOnlyList<int> milestones, double factor)
    {
        ArgumentNullException.ThrowIfNull(milestones);
        this.initial = CheckFinite(initial, nameof(initial), nameof(MultiStep));
        this.factor = CheckFactor(factor, nameof(factor), nameof(MultiStep));
        this.milestones = [.. milestones];
        foreach (int milestone in this.milestones)
        {
            if (milestone < 0)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(milestones), milestone, $"Schedule.MultiStep: a milestone is a number of steps made and cannot be negative, but one is {milestone}.");
            }
        }
    }

    /// <inheritdoc/>
    protected override double ValueAt(int step) => initial * Math.Pow(factor, milestones.Count(milestone => milestone <= step));
}
