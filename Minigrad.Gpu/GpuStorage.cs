using System.Diagnostics.CodeAnalysis;
using ILGPU;
using Minigrad.Backends;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>A tensor's numbers in device memory.</summary>
internal sealed class GpuStorage : Storage
{
    private readonly DeviceBufferPool pool;
    private DeviceBuffer? buffer;
    private Slab? slab;
    private int isReturned;

    /// <summary>Rents a buffer; none for no numbers, which devices refuse.</summary>
    public GpuStorage(Backend backend, DeviceBufferPool pool, int length)
        : base(backend, length)
    {
        this.pool = pool;
        buffer = length > 0 ? pool.Rent(length) : null;
    }

    /// <summary>A part of a slab.</summary>
    public GpuStorage(Backend backend, DeviceBufferPool pool, Slab slab, int offset, int length)
        : base(backend, length)
    {
        this.pool = pool;
        this.slab = slab;
        Offset = offset;
    }

    /// <summary>Gives the buffer back when nobody can reach the tensor any more.</summary>
    ~GpuStorage() => Return();

    /// <summary>The slab that the numbers are a part of, or null if they have a buffer to themselves.</summary>
    public Slab? Slab => slab;

    /// <summary>Where in the slab the numbers begin.</summary>
    public int Offset { get; private set; }

    /// <summary>The numbers.</summary>
    /// <exception cref="ObjectDisposedException">The buffer went back to the pool: a fault of the engine, never of the caller's data.</exception>
    public ArrayView<float> View
    {
        get
        {
            DeviceBuffer? current = buffer;
            if (Volatile.Read(ref isReturned) != 0)
            {
                throw new ObjectDisposedException(
                    nameof(Storage),
                    "This buffer was released by backward and is in use elsewhere. Please report this as a fault of Minigrad.");
            }

            if (slab is { } whole)
            {
                return whole.Floats.SubView(Offset, Length);
            }

            return current is null ? ArrayView<float>.Empty : current.View.BaseView.SubView(0, Length);
        }
    }

    /// <inheritdoc/>
    [SuppressMessage("Usage", "CA1816", Justification = "Recycling is this engine's Dispose: the buffer is gone, so the finalizer has nothing to do.")]
    protected override void ReturnBuffer()
    {
        Return();
        GC.SuppressFinalize(this);
    }

    /// <summary>Goes on in a part of a slab, into which the numbers have been copied.</summary>
    /// <param name="slab">The slab.</param>
    /// <param name="offset">Where the numbers begin there.</param>
    public void MoveInto(Slab slab, int offset)
    {
        Offset = offset;
        this.slab = slab;
        if (buffer is { } used)
        {
            buffer = null;
            pool.Return(used);
        }
    }

    private void Return()
    {
        if (Interlocked.Exchange(ref isReturned, 1) == 0 && buffer is { } used)
        {
            buffer = null;
            pool.Return(used);
        }
    }
}
