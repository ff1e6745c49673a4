using Minigrad.Operations;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>A memory in an array.</summary>
/// <param name="numbers">The array.</param>
/// <param name="start">Where the series begins.</param>
internal readonly struct HostThresholdMemory(double[] numbers, int start) : IThresholdMemory
{
    /// <inheritdoc/>
    public double this[int index]
    {
        get => numbers[start + index];
        set => numbers[start + index] = value;
    }
}
