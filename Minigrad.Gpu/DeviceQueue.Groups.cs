using ILGPU;
using ILGPU.Runtime;

namespace Minigrad.Gpu;

/// <content>Kernels whose threads work in groups, and copies on the device.</content>
internal sealed partial class DeviceQueue
{
    /// <summary>Copies on the device.</summary>
    public void Copy(ArrayView<float> source, ArrayView<float> target)
    {
        lock (gate)
        {
            ThrowIfDisposed();
            if (source.Length > 0)
            {
                try
                {
                    source.CopyTo(Stream, target);
                }
                catch (Exception exception) when (DeviceFailure.IsOne(exception))
                {
                    throw DeviceFailure.Of("copying on it", accelerator.Name, exception);
                }
            }
        }
    }

    /// <summary>Queues a kernel for groups of threads, which share memory and wait for each other.</summary>
    public void LaunchGroups<T1, T2, T3>(Action<T1, T2, T3> kernel, int groups, int groupSize, T1 first, T2 second, T3 third)
        where T1 : struct
        where T2 : struct
        where T3 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2, T3>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second, third);
        }
    }

    /// <inheritdoc cref="LaunchGroups{T1, T2, T3}"/>
    public void LaunchGroups<T1, T2, T3, T4, T5, T6>(
        Action<T1, T2, T3, T4, T5, T6> kernel,
        int groups,
        int groupSize,
        T1 first,
        T2 second,
        T3 third,
        T4 fourth,
        T5 fifth,
        T6 sixth)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second, third, fourth, fifth, sixth);
        }
    }

    /// <inheritdoc cref="LaunchGroups{T1, T2, T3}"/>
    public void LaunchGroups<T1, T2, T3, T4, T5, T6, T7>(
        Action<T1, T2, T3, T4, T5, T6, T7> kernel,
        int groups,
        int groupSize,
        T1 first,
        T2 second,
        T3 third,
        T4 fourth,
        T5 fifth,
        T6 sixth,
        T7 seventh)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second, third, fourth, fifth, sixth, seventh);
        }
    }
}
