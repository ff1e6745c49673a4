namespace Minigrad.Backends.Cpu;

/// <summary>A tensor's numbers in an array.</summary>
internal class CpuStorage : Storage
{
    private float[]? array;

    /// <summary>Wraps an array.</summary>
    public CpuStorage(Backend backend, float[] array, int length)
        : base(backend, length) => this.array = array;

    /// <summary>The array, which may be longer than the storage.</summary>
    /// <exception cref="ObjectDisposedException">The buffer went back to the pool: a fault of the engine, never of the caller's data.</exception>
    public float[] Array => array ?? throw new ObjectDisposedException(
        nameof(Storage), "This buffer was released by backward and is in use elsewhere. Please report this as a fault of Minigrad.");

    /// <summary>The numbers.</summary>
    public Span<float> Span => Array.AsSpan(0, Length);

    /// <inheritdoc/>
    protected override void ReturnBuffer() => Take();

    /// <summary>Removes the array from this storage, so that no one reads what another tensor writes.</summary>
    protected float[]? Take() => Interlocked.Exchange(ref array, null);
}
