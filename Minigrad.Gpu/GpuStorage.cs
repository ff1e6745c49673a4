using ILGPU;
using Minigrad.Backends;

namespace Minigrad.Gpu;

/// <summary>A tensor's numbers in device memory.</summary>
internal sealed class GpuStorage : Storage
{
    private readonly DeviceBufferPool pool;
    private readonly bool isEmpty;
    private DeviceLease? lease;

    /// <summary>Rents a buffer; none for no numbers, which devices refuse.</summary>
    public GpuStorage(Backend backend, DeviceBufferPool pool, int length)
        : base(backend, length)
    {
        this.pool = pool;
        isEmpty = length == 0;
        lease = isEmpty ? null : pool.Rent(this);
    }

    /// <summary>The numbers.</summary>
    /// <exception cref="ObjectDisposedException">The buffer went back to the pool: a fault of the engine, never of the caller's data.</exception>
    public ArrayView<float> View
    {
        get
        {
            if (Volatile.Read(ref lease) is { } held)
            {
                return held.Buffer.View.BaseView.SubView(0, Length);
            }

            return isEmpty
                ? ArrayView<float>.Empty
                : throw new ObjectDisposedException(
                    nameof(Storage),
                    "This buffer was released by backward and is in use elsewhere. Please report this as a fault of Minigrad.");
        }
    }

    /// <inheritdoc/>
    protected override void ReturnBuffer()
    {
        if (Interlocked.Exchange(ref lease, null) is { } held)
        {
            pool.Return(held);

            // Until the lease is returned it must not look abandoned, or it would be taken back twice.
            GC.KeepAlive(this);
        }
    }
}
