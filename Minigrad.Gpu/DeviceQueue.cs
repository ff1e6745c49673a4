using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Minigrad.Gpu.Kernels;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>
/// Everything that is sent to one device, in order: one stream, so that a kernel sees what earlier ones wrote, and one
/// lock, because ILGPU's launches from two threads crash on OpenCL. It counts what it sends.
/// </summary>
internal sealed partial class DeviceQueue : IDisposable
{
    /// <summary>The CPU accelerator has a thread of the system for each of a group, and a barrier waits for all.</summary>
    private const int EmulatedGroup = 4;

    private readonly Lock gate = new();
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly KernelCache kernels;
    private long launches;
    private long uploads;
    private long downloads;
    private long synchronizations;
    private IDisposable? library;
    private volatile bool isDisposed;

    /// <summary>Takes ownership of a context and its accelerator.</summary>
    public DeviceQueue(Context context, Accelerator accelerator)
    {
        this.context = context;
        this.accelerator = accelerator;
        kernels = new KernelCache(context, accelerator);
        GroupSize = accelerator is CPUAccelerator ? EmulatedGroup : Math.Min(GroupTree.Capacity, PowerOfTwo(accelerator.MaxNumThreadsPerGroup));
    }

    /// <summary>Whether kernels run as .NET methods on ILGPU's CPU accelerator, where a group must be tiny.</summary>
    public bool IsEmulated => accelerator is CPUAccelerator;

    /// <summary>The device, if it is one of CUDA.</summary>
    public CudaAccelerator? Cuda => accelerator as CudaAccelerator;

    /// <summary>How many threads a group has whose size does not follow from its work: a power of two.</summary>
    public int GroupSize { get; }

    /// <summary>How many parts of the device run groups.</summary>
    public int Multiprocessors => accelerator.NumMultiprocessors;

    /// <summary>The bytes of the device's own memory; the CPU accelerator has none.</summary>
    public long MemorySize => IsEmulated ? 0 : accelerator.MemorySize;

    /// <summary>What was sent until now.</summary>
    public GpuCounters Counters
    {
        get
        {
            lock (gate)
            {
                return new GpuCounters(launches, uploads, downloads, synchronizations, kernels.Count);
            }
        }
    }

    private AcceleratorStream Stream => accelerator.DefaultStream;

    /// <summary>
    /// How many threads each of so many groups may have: the wanted ones, or fewer where together they would be more than a launch can
    /// have. ILGPU counts those of a launch in 32 bits but on CUDA, and has no error where that overflows.
    /// </summary>
    /// <param name="groups">How many groups.</param>
    /// <param name="wanted">How many threads each would have best, a power of two.</param>
    public int GroupSizeFor(int groups, int wanted)
    {
        int threads = Math.Min(GroupSize, wanted);
        while (IsTooMuch(groups, threads))
        {
            threads >>= 1;
        }

        return threads;
    }

    /// <summary>Refuses any use after the end.</summary>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public void ThrowIfDisposed()
    {
        if (isDisposed)
        {
            throw new ObjectDisposedException(
                nameof(GpuBackend), "The GPU backend was disposed, and with it every tensor on it. Dispose it last.");
        }
    }

    /// <summary>Takes ownership of a library that works on the stream: it is disposed after its last work, and before the device.</summary>
    /// <typeparam name="TLibrary">The library's type.</typeparam>
    /// <param name="opened">The library, or null where the machine has none.</param>
    /// <returns>The same.</returns>
    public TLibrary? Own<TLibrary>(TLibrary? opened)
        where TLibrary : class, IDisposable
    {
        library = opened;
        return opened;
    }

    /// <summary>Makes a buffer on the device.</summary>
    /// <param name="length">How many floats it holds.</param>
    public DeviceBuffer Allocate(int length)
    {
        lock (gate)
        {
            ThrowIfDisposed();
            return accelerator.Allocate1D<float>(length);
        }
    }

    /// <summary>Frees a buffer, after what is queued has finished with it.</summary>
    /// <param name="buffer">A buffer that no one will use again.</param>
    public void Free(DeviceBuffer buffer)
    {
        lock (gate)
        {
            Wait();
            Try("freeing a buffer", buffer.Dispose);
        }
    }

    /// <summary>Copies from the host.</summary>
    public void Upload<T>(ReadOnlySpan<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        lock (gate)
        {
            ThrowIfDisposed();
            if (source.Length > 0)
            {
                uploads++;
                try
                {
                    target.CopyFromCPU(Stream, source);
                }
                catch (Exception exception) when (DeviceFailure.IsOne(exception))
                {
                    throw DeviceFailure.Of("copying to it", accelerator.Name, exception);
                }
            }
        }
    }

    /// <summary>Copies to the host when everything queued is done.</summary>
    public void Download<T>(ArrayView<T> source, Span<T> target)
        where T : unmanaged
    {
        lock (gate)
        {
            ThrowIfDisposed();
            if (target.Length > 0)
            {
                downloads++;
                synchronizations++;
                try
                {
                    source.CopyToCPU(Stream, target);
                }
                catch (Exception exception) when (DeviceFailure.IsOne(exception))
                {
                    throw DeviceFailure.Of("copying from it", accelerator.Name, exception);
                }
            }
        }
    }

    /// <summary>Waits until everything queued is done.</summary>
    public void Synchronize()
    {
        lock (gate)
        {
            Wait();
        }
    }

    /// <summary>Queues what a library does on the stream itself.</summary>
    /// <param name="work">What to call, given the stream.</param>
    /// <typeparam name="TArguments">What the call needs, so that it can be a static function.</typeparam>
    /// <param name="arguments">That.</param>
    public void Call<TArguments>(Action<AcceleratorStream, TArguments> work, TArguments arguments)
    {
        lock (gate)
        {
            ThrowIfDisposed();
            launches++;
            try
            {
                accelerator.Bind();
                work(Stream, arguments);
            }
            catch (Exception exception) when (DeviceFailure.IsOne(exception))
            {
                throw DeviceFailure.Of("giving work to a library", accelerator.Name, exception);
            }
        }
    }

    /// <summary>Queues a kernel for each of <paramref name="length"/> indices.</summary>
    public void Launch<T1, T2>(Action<Index1D, T1, T2> kernel, int length, T1 first, T2 second)
        where T1 : struct
        where T2 : struct
    {
        lock (gate)
        {
            Launcher<Action<AcceleratorStream, Index1D, T1, T2>>(kernel, length)?.Invoke(
                Stream, length, first, second);
        }
    }

    /// <inheritdoc cref="Launch{T1, T2}"/>
    public void Launch<T1, T2, T3>(Action<Index1D, T1, T2, T3> kernel, int length, T1 first, T2 second, T3 third)
        where T1 : struct
        where T2 : struct
        where T3 : struct
    {
        lock (gate)
        {
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3>>(kernel, length)?.Invoke(
                Stream, length, first, second, third);
        }
    }

    /// <inheritdoc cref="Launch{T1, T2}"/>
    public void Launch<T1, T2, T3, T4>(
        Action<Index1D, T1, T2, T3, T4> kernel, int length, T1 first, T2 second, T3 third, T4 fourth)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
    {
        lock (gate)
        {
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4>>(kernel, length)?.Invoke(
                Stream, length, first, second, third, fourth);
        }
    }

    /// <inheritdoc cref="Launch{T1, T2}"/>
    public void Launch<T1, T2, T3, T4, T5>(
        Action<Index1D, T1, T2, T3, T4, T5> kernel,
        int length,
        T1 first,
        T2 second,
        T3 third,
        T4 fourth,
        T5 fifth)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
    {
        lock (gate)
        {
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5>>(kernel, length)?.Invoke(
                Stream, length, first, second, third, fourth, fifth);
        }
    }

    /// <inheritdoc cref="Launch{T1, T2}"/>
    public void Launch<T1, T2, T3, T4, T5, T6>(
        Action<Index1D, T1, T2, T3, T4, T5, T6> kernel,
        int length,
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6>>(kernel, length)?.Invoke(
                Stream, length, first, second, third, fourth, fifth, sixth);
        }
    }

    /// <inheritdoc cref="Launch{T1, T2}"/>
    public void Launch<T1, T2, T3, T4, T5, T6, T7>(
        Action<Index1D, T1, T2, T3, T4, T5, T6, T7> kernel,
        int length,
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6, T7>>(kernel, length)?.Invoke(
                Stream, length, first, second, third, fourth, fifth, sixth, seventh);
        }
    }

    /// <summary>Queues a kernel for groups of threads, which share memory and wait for each other.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="groups">How many groups; the kernel finds its own by <see cref="Grid.IdxX"/>.</param>
    /// <param name="groupSize">How many threads a group has.</param>
    /// <param name="first">A parameter of the kernel.</param>
    /// <param name="second">A parameter of the kernel.</param>
    public void LaunchGroups<T1, T2>(
        Action<T1, T2> kernel, int groups, int groupSize, T1 first, T2 second)
        where T1 : struct
        where T2 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second);
        }
    }

    /// <inheritdoc cref="LaunchGroups{T1, T2}"/>
    public void LaunchGroups<T1, T2, T3, T4>(
        Action<T1, T2, T3, T4> kernel, int groups, int groupSize, T1 first, T2 second, T3 third, T4 fourth)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second, third, fourth);
        }
    }

    /// <inheritdoc cref="LaunchGroups{T1, T2}"/>
    public void LaunchGroups<T1, T2, T3, T4, T5>(
        Action<T1, T2, T3, T4, T5> kernel, int groups, int groupSize, T1 first, T2 second, T3 third, T4 fourth, T5 fifth)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
    {
        lock (gate)
        {
            GroupLauncher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5>>(kernel, groups, groupSize)?.Invoke(
                Stream, new KernelConfig(groups, groupSize), first, second, third, fourth, fifth);
        }
    }

    /// <summary>Waits for the device and gives it up. What was allocated on it is gone.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (!isDisposed)
            {
                isDisposed = true;
                GiveUp(Stream.Synchronize);
                if (library is not null)
                {
                    GiveUp(library.Dispose);
                }

                GiveUp(accelerator.Dispose);
                context.Dispose();
            }
        }
    }

    /// <summary>Where the device is lost, what was to be waited for or given back is lost as well: no error of a disposal.</summary>
    private static void GiveUp(Action part)
    {
        try
        {
            part();
        }
        catch (Exception exception) when (DeviceFailure.IsOne(exception))
        {
        }
    }

    private static int PowerOfTwo(int atMost) => 1 << BitOperations.Log2((uint)atMost);

    private void Wait()
    {
        ThrowIfDisposed();
        synchronizations++;
        Try("waiting for it", Stream.Synchronize);
    }

    private void Try(string operation, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (DeviceFailure.IsOne(exception))
        {
            throw DeviceFailure.Of(operation, accelerator.Name, exception);
        }
    }

    /// <summary>The launcher, or null for an empty launch, which some devices refuse.</summary>
    private TLauncher? Launcher<TLauncher>(Delegate kernel, int length)
        where TLauncher : Delegate => CountedLaunch(length) ? kernels.Get<TLauncher>(kernel, isGrouped: false) : null;

    /// <summary>The launcher for explicit groups, or null for an empty launch.</summary>
    /// <exception cref="GpuException">The groups have more threads together than a launch can have.</exception>
    private TLauncher? GroupLauncher<TLauncher>(Delegate kernel, int groups, int groupSize)
        where TLauncher : Delegate
    {
        if (IsTooMuch(groups, groupSize))
        {
            throw new GpuException(
                $"{kernel.Method.Name} would need {groups:N0} groups of {groupSize} threads, and a launch on this device can have "
                + $"{int.MaxValue:N0} threads in all. Use smaller batches.");
        }

        return CountedLaunch(groups) ? kernels.Get<TLauncher>(kernel, isGrouped: true) : null;
    }

    private bool IsTooMuch(int groups, int groupSize) => Cuda is null && (long)groups * groupSize > int.MaxValue;

    private bool CountedLaunch(int size)
    {
        ThrowIfDisposed();
        if (size == 0)
        {
            return false;
        }

        launches++;
        return true;
    }
}
