using ILGPU;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>A memory in a buffer.</summary>
/// <param name="numbers">The buffer.</param>
/// <param name="start">Where the series begins.</param>
internal readonly struct DeviceThresholdMemory(ArrayView<double> numbers, int start) : IThresholdMemory
{
    /// <inheritdoc/>
    public double this[int index]
    {
        get => numbers[start + index];
        set => numbers[start + index] = value;
    }
}
