namespace Minigrad.Backends.Cpu;

/// <summary>A tensor's numbers in an array that returns to its pool, at the latest when the tensor is unreachable.</summary>
internal sealed class PooledCpuStorage : CpuStorage
{
    private readonly BufferPool pool;
    private readonly Lease lease;

    /// <summary>Rents an array.</summary>
    public PooledCpuStorage(Backend backend, BufferPool pool, int length)
        : base(backend, length)
    {
        this.pool = pool;
        lease = pool.Rent(length, this);
        Put(lease.Array);
    }

    /// <inheritdoc/>
    protected override void ReturnBuffer()
    {
        if (Take())
        {
            pool.Return(lease);

            // Until the lease is returned it must not look abandoned, or it would be taken back twice.
            GC.KeepAlive(this);
        }
    }
}
