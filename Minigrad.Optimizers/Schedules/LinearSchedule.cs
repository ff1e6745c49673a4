namespace Minigrad.Optimizers.Schedules;

/// <summary>v₀ · (a + (b − a) · min(t, T) / T).</summary>
/// <param name="initial">v₀.</param>
/// <param name="startFactor">a.</param>
/// <param name="endFactor">b.</param>
/// <param name="length">T.</param>
internal sealed class LinearSchedule(double initial, double startFactor, double endFactor, int length) : Schedule
{
    private readonly double initial = CheckFinite(initial, nameof(initial), nameof(Linear));
    private readonly double startFactor = CheckFinite(startFactor, nameof(startFactor), nameof(Linear));
    private readonly double endFactor = CheckFinite(endFactor, nameof(endFactor), nameof(Linear));
    private readonly int length = CheckLength(length, nameof(length), nameof(Linear));

    /// <inheritdoc/>
    protected override double ValueAt(int step) => step < length
        ? initial * (startFactor + ((endFactor - startFactor) * step / length))
        : initial * endFactor;
}
