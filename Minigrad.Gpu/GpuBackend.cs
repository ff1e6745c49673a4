using ILGPU;
using ILGPU.Runtime;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>
/// A backend on a GPU: every loop over a formula is a kernel that ILGPU compiles, at its first use, for CUDA or OpenCL.
/// Opened by <see cref="GpuDevice"/>.
/// </summary>
/// <remarks>
/// Work is queued and runs while the host goes on; only <see cref="Download"/>, <see cref="ArgMax"/> and
/// the norms wait for it. Any thread may use the backend; what they ask for runs one after another.
/// </remarks>
public sealed partial class GpuBackend : Backend, IDisposable
{
    private readonly DeviceQueue queue;
    private readonly DeviceBufferPool pool;

    /// <summary>Takes ownership of a context and its accelerator.</summary>
    internal GpuBackend(Context context, Accelerator accelerator, GpuDeviceDescription device)
    {
        queue = new DeviceQueue(context, accelerator);
        pool = new DeviceBufferPool(queue.Allocate, queue.Free, queue.MemorySize);
        cuBlas = queue.Own(queue.Cuda is { } cuda ? CuBlasProducts.Open(cuda) : null);
        Device = device;
    }

    /// <summary>The device that the backend runs on.</summary>
    public GpuDeviceDescription Device { get; }

    /// <inheritdoc/>
    public override string Name => Device.Kind switch
    {
        GpuDeviceKind.Cuda => $"CUDA ({Device.Name})",
        GpuDeviceKind.CpuAccelerator => "ILGPU's CPU accelerator",
        _ => $"OpenCL ({Device.Name})",
    };

    /// <summary>Where device memory comes from, for tests.</summary>
    internal DeviceBufferPool Pool => pool;

    /// <summary>The bytes of all buffers on the device, in use or waiting for use.</summary>
    public long PooledBytes => pool.BytesOwned;

    /// <summary>How many launches, copies and waits there were since the backend was opened.</summary>
    public GpuCounters Counters => queue.Counters;

    /// <inheritdoc/>
    /// <exception cref="GpuException">The device has no more memory.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public override Storage Allocate(int length) => new GpuStorage(this, pool, length);

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, Storage destination)
    {
        queue.Upload(source, View(destination));
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public override void Download(Storage source, Span<float> destination)
    {
        queue.Download(View(source), destination);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void Fill(Storage y, float value)
    {
        queue.Launch(ElementwiseKernels.Fill, y.Length, value, View(y));
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Fill<TDistribution>(TDistribution distribution, Randomness source, Storage y)
    {
        queue.Launch(
            ElementwiseKernels.Sample<TDistribution>,
            y.Length,
            distribution,
            source.Seed,
            source.Stream,
            source.Position,
            View(y));
        GC.KeepAlive(y);
    }

    /// <inheritdoc/>
    public override void Map<TOp>(TOp op, Storage x, Storage y)
    {
        queue.Launch(ElementwiseKernels.Map<TOp>, y.Length, op, View(x), View(y));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public override void Zip<TOp>(TOp op, Operand a, Operand b, Storage y)
    {
        Zip(op, View(a), View(b), View(y));
        KeepAlive(a.Storage, b.Storage, y);
    }

    /// <inheritdoc/>
    public override void Combine<TOp>(TOp op, Operand a, Operand b, Operand c, Storage y)
    {
        Combine(op, View(a), View(b), View(c), View(y));
        KeepAlive(a.Storage, b.Storage, c.Storage);
        GC.KeepAlive(y);
    }

    /// <summary>Waits until the device has done everything that was asked of it, as before reading a clock.</summary>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public void Synchronize() => queue.Synchronize();

    /// <summary>Waits for the device and gives it up, with every buffer on it. Any later use fails with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => queue.Dispose();

    /// <summary>
    /// A storage that the caller has let go of must not return its buffer to the pool before its last kernel is queued.
    /// </summary>
    private static void KeepAlive(Storage? a, Storage? b, Storage? c = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }

    private ArrayView<float> View(Storage storage)
    {
        // First of all, because a disposed accelerator's buffers end the process instead of throwing.
        queue.ThrowIfDisposed();
        return storage is GpuStorage own && own.Backend == this
            ? own.View
            : throw new ArgumentException(
                $"A tensor on {storage.Backend.Name} was given to {NameBeside(storage.Backend)}. Move it there first.", nameof(storage));
    }

    private ArrayView<float> View(Part part)
    {
        // A part of no elements at a buffer's end is never read, and no view of it can be made.
        ArrayView<float> whole = View(part.Storage);
        return part.Start == 0 || part.Start == whole.Length ? whole : whole.SubView(part.Start, whole.Length - part.Start);
    }

    private OperandView View(Operand operand) => new(View(operand.Storage), operand.Period, operand.Repeat);

    private void Zip<TOp>(TOp op, OperandView a, OperandView b, ArrayView<float> y)
        where TOp : unmanaged, IBinaryOp
    {
        int length = y.IntLength;
        if (a.IsInOrder(length) && b.IsInOrder(length))
        {
            queue.Launch(ElementwiseKernels.Zip<TOp>, length, op, a.Values, b.Values, y);
        }
        else
        {
            queue.Launch(ElementwiseKernels.ZipBroadcast<TOp>, length, op, a, b, y);
        }
    }

    private void Combine<TOp>(TOp op, OperandView a, OperandView b, OperandView c, ArrayView<float> y)
        where TOp : unmanaged, ITernaryOp
    {
        int length = y.IntLength;
        if (a.IsInOrder(length) && b.IsInOrder(length) && c.IsInOrder(length))
        {
            queue.Launch(ElementwiseKernels.Combine<TOp>, length, op, a.Values, b.Values, c.Values, y);
        }
        else
        {
            queue.Launch(ElementwiseKernels.CombineBroadcast<TOp>, length, op, a, b, c, y);
        }
    }
}
