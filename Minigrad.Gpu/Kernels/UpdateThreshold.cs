using ILGPU;
using Minigrad.Backends;
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

    /// <summary>What follows for an update; its size is noted together with the threshold.</summary>
    /// <typeparam name="TMeasure">The rule of the update.</typeparam>
    /// <param name="measure">The rule of the update.</param>
    /// <param name="norm">The norm of what it measured.</param>
    /// <param name="count">Of how many elements.</param>
    /// <param name="parameter">Whose update it is.</param>
    public UpdateRecord For<TMeasure>(TMeasure measure, double norm, int count, int parameter)
        where TMeasure : unmanaged, IUpdateMeasure
    {
        ThresholdSeries<TRule> series = new(Rule);
        UpdateRecord record = default;
        record.Size = measure.Size<DeviceMath>(norm, count);
        record.Threshold = series.Threshold<DeviceMath, DeviceThresholdMemory>(
            record.Size, record.Size, new DeviceThresholdMemory(Remembered, parameter * series.Length));
        record.Coefficient = measure.Factor(record.Size, record.Threshold);
        return record;
    }
}
