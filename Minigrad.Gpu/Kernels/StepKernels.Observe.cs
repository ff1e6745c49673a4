using ILGPU;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <content>What rules of thresholds remember of a step that is made.</content>
internal static partial class StepKernels
{
    /// <summary>Remembers the norm of all gradients together.</summary>
    public static void ObserveTogether<TRule>(
        Index1D index, StepMemory memory, ArrayView<double> remembered, TRule rule, int record)
        where TRule : unmanaged, IThresholdRule
    {
        if (memory.Records[record].Outcome == 0.0)
        {
            Observe(remembered, rule, index);
        }
    }

    /// <summary>Remembers the norm of each parameter's gradient.</summary>
    public static void ObserveParameters<TRule>(
        Index1D index, StepMemory memory, ArrayView<double> remembered, TRule rule, int record, int set)
        where TRule : unmanaged, IThresholdRule
    {
        if (memory.Records[record].Outcome == 0.0 && memory.Places[index].Set == set)
        {
            Observe(remembered, rule, index);
        }
    }

    /// <summary>Remembers the ratio of each unit.</summary>
    public static void ObserveUnits<TRule>(
        Index1D index, StepMemory memory, ArrayView<Chunk> units, ArrayView<double> remembered, TRule rule, int record, int set)
        where TRule : unmanaged, IThresholdRule
    {
        Chunk unit = units[index];
        if (memory.Records[record].Outcome == 0.0 && memory.Places[unit.Parameter].Set == set)
        {
            Observe(remembered, rule, unit.FirstUnit);
        }
    }

    private static void Observe<TRule>(ArrayView<double> remembered, TRule rule, int number)
        where TRule : unmanaged, IThresholdRule
    {
        ThresholdSeries<TRule> series = new(rule);
        series.Observe<DeviceMath, DeviceThresholdMemory>(new DeviceThresholdMemory(remembered, number * series.Length));
    }
}
