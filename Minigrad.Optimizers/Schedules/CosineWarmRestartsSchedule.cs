namespace Minigrad.Optimizers.Schedules;

/// <summary>Half waves from the initial value towards the minimum, each longer than the one before by a factor.</summary>
/// <param name="initial">v₀.</param>
/// <param name="firstLength">How many steps the first wave takes.</param>
/// <param name="lengthFactor">How many times longer each is than the one before.</param>
/// <param name="minimum">m.</param>
internal sealed class CosineWarmRestartsSchedule(double initial, int firstLength, int lengthFactor, double minimum) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(CosineWarmRestarts));
    private readonly int firstLength = CheckLength(firstLength, nameof(firstLength), nameof(CosineWarmRestarts));
    private readonly int lengthFactor = CheckLength(lengthFactor, nameof(lengthFactor), nameof(CosineWarmRestarts));
    private readonly double minimum = CheckFinite(minimum, nameof(minimum), nameof(CosineWarmRestarts));

    /// <inheritdoc/>
    protected override double ValueAt(int step)
    {
        long length = firstLength;
        long within = step;
        if (lengthFactor == 1)
        {
            within %= length;
        }

        while (within >= length)
        {
            within -= length;
            length *= lengthFactor;
        }

        return CosineSchedule.HalfWave(initial, minimum, (double)within / length);
    }
}
