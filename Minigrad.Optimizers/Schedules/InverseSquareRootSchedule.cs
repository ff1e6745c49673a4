namespace Minigrad.Optimizers.Schedules;

/// <summary>v · min(n / w, √(w / n)) with n = t + 1.</summary>
/// <param name="peak">v.</param>
/// <param name="warmupLength">w.</param>
internal sealed class InverseSquareRootSchedule(double peak, int warmupLength) : Schedule
{
    private readonly double peak = CheckFinite(peak, nameof(peak), nameof(InverseSquareRoot));
    private readonly int warmupLength = CheckLength(warmupLength, nameof(warmupLength), nameof(InverseSquareRoot));

    /// <inheritdoc/>
    protected override double ValueAt(int step)
    {
        double ratio = (step + 1.0) / warmupLength;
        return peak * Math.Min(ratio, 1 / Math.Sqrt(ratio));
    }
}
