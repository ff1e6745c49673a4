using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>
/// Everything that is sent to one device, in order: one stream, so that a kernel sees what earlier ones wrote, and one
/// lock, because ILGPU's launches from two threads crash on OpenCL.
/// </summary>
internal sealed partial class DeviceQueue : IDisposable
{
    private readonly Lock gate = new();
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly KernelCache kernels;
    private bool isDisposed;

    /// <summary>Takes ownership of a context and its accelerator.</summary>
    public DeviceQueue(Context context, Accelerator accelerator)
    {
        this.context = context;
        this.accelerator = accelerator;
        kernels = new KernelCache(context, accelerator);
    }

    private AcceleratorStream Stream => accelerator.DefaultStream;

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

    /// <summary>Frees buffers, after what is queued has finished with them.</summary>
    /// <param name="buffers">Buffers that no one will use again.</param>
    public void Free(IEnumerable<DeviceBuffer> buffers)
    {
        lock (gate)
        {
            ThrowIfDisposed();
            Stream.Synchronize();
            foreach (DeviceBuffer buffer in buffers)
            {
                buffer.Dispose();
            }
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
                target.CopyFromCPU(Stream, source);
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
                source.CopyToCPU(Stream, target);
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2>>(kernel.Method, length)?.Invoke(
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3>>(kernel.Method, length)?.Invoke(
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4>>(kernel.Method, length)?.Invoke(
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5>>(kernel.Method, length)?.Invoke(
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6>>(kernel.Method, length)?.Invoke(
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
            Launcher<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6, T7>>(kernel.Method, length)?.Invoke(
                Stream, length, first, second, third, fourth, fifth, sixth, seventh);
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
                Stream.Synchronize();
                accelerator.Dispose();
                context.Dispose();
            }
        }
    }

    /// <summary>The launcher, or null for an empty launch, which some devices refuse.</summary>
    private TLauncher? Launcher<TLauncher>(MethodInfo kernel, int length)
        where TLauncher : Delegate
    {
        ThrowIfDisposed();
        return length == 0 ? null : kernels.Get<TLauncher>(kernel);
    }
}
