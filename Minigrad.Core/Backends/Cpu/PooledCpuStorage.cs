using System.Diagnostics.CodeAnalysis;

namespace Minigrad.Backends.Cpu;

/// <summary>A tensor's numbers in an array that returns to its pool, at the latest when the tensor is unreachable.</summary>
internal sealed class PooledCpuStorage : CpuStorage
{
    private readonly BufferPool pool;

    /// <summary>Rents an array.</summary>
    public PooledCpuStorage(Backend backend, BufferPool pool, int length)
        : base(backend, pool.Rent(length), length) => this.pool = pool;

    /// <summary>Returns the array, for a tensor that the garbage collector found unreachable.</summary>
    ~PooledCpuStorage() => Return();

    /// <inheritdoc/>
    [SuppressMessage("Usage", "CA1816", Justification = "Recycling is this engine's Dispose: the buffer is gone, so the finalizer has nothing to do.")]
    protected override void ReturnBuffer()
    {
        Return();
        GC.SuppressFinalize(this);
    }

    private void Return()
    {
        if (Take() is { } array)
        {
            pool.Return(array);
        }
    }
}
