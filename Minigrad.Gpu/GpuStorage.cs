using ILGPU;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>A tensor's numbers in device memory.</summary>
internal sealed class GpuStorage : Storage
{
    private readonly DeviceBufferPool pool;
    private DeviceLease? lease;
    private Slab? slab;
    private object? paired;

    /// <summary>Rents a buffer; none for no numbers, which devices refuse.</summary>
    public GpuStorage(Backend backend, DeviceBufferPool pool, int length)
        : base(backend, length)
    {
        this.pool = pool;
        lease = length == 0 ? null : pool.Rent(this, length);
    }

    /// <summary>A part of a slab.</summary>
    public GpuStorage(Backend backend, DeviceBufferPool pool, Slab slab, int offset, int length)
        : base(backend, length)
    {
        this.pool = pool;
        this.slab = slab;
        Offset = offset;
    }

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
            // A part without numbers may begin where its slab ends, and such a view is refused.
            if (Length == 0)
            {
                return ArrayView<float>.Empty;
            }

            if (Volatile.Read(ref lease) is { } held)
            {
                return held.Floats.SubView(0, Length);
            }

            if (slab is { } whole)
            {
                return whole.Floats.SubView(Offset, Length);
            }

            throw new ObjectDisposedException(
                nameof(Storage),
                "This buffer was released by backward and is in use elsewhere. Please report this as a fault of Minigrad.");
        }
    }

    /// <summary>The numbers in a format of 16 bits; those of another format are let go of.</summary>
    /// <typeparam name="TRounding">The format.</typeparam>
    public PairedNumbers<TRounding> Paired<TRounding>()
        where TRounding : unmanaged, IRounding
    {
        if (paired is not PairedNumbers<TRounding> numbers)
        {
            numbers = new PairedNumbers<TRounding>(Length);
            paired = numbers;
        }

        return numbers;
    }

    /// <inheritdoc/>
    protected override void ReturnBuffer()
    {
        paired = null;
        slab = null;
        ReturnLease();
    }

    /// <summary>Goes on in a part of a slab, into which the numbers have been copied.</summary>
    /// <param name="slab">The slab.</param>
    /// <param name="offset">Where the numbers begin there.</param>
    public void MoveInto(Slab slab, int offset)
    {
        Offset = offset;
        this.slab = slab;
        ReturnLease();
    }

    private void ReturnLease()
    {
        if (Interlocked.Exchange(ref lease, null) is { } held)
        {
            pool.Return(held);

            // Until the lease is returned it must not look abandoned, or it would be taken back twice.
            GC.KeepAlive(this);
        }
    }
}
