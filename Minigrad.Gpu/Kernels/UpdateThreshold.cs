using ILGPU;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>How the threshold of each parameter's update comes about.</summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="remembered">What is remembered, a series for each parameter; any view if that is nothing.</param>
/// <param name="rule">The rule.</param>
internal readonly struct UpdateThreshold<TRule>(ArrayView<double> remembered, TRule rule)
    where TRule : unmanaged, IThresholdRule
{
    /// <summary>What is remembered, a series for each parameter.</summary>
    public readonly ArrayView<double> Remembered = remembered;

    /// <summary>The rule.</summary>
    public readonly TRule Rule = rule;

    /// <summary>The threshold for an update, noted together with its size.</summary>
    /// <param name="size">The size.</param>
    /// <param name="parameter">Whose update it is.</param>
    public double For(double size, int parameter)
    {
        ThresholdSeries<TRule> series = new(Rule);
        return series.Threshold<DeviceMath, DeviceThresholdMemory>(
            size, size, new DeviceThresholdMemory(Remembered, parameter * series.Length));
    }
}
