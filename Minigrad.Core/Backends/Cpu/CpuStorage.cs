namespace Minigrad.Backends.Cpu;

/// <summary>A tensor's numbers in an array.</summary>
internal class CpuStorage : Storage
{
    private float[]? array;
    private PackedOperand? packed;

    /// <summary>Wraps an array.</summary>
    public CpuStorage(Backend backend, float[] array, int length)
        : base(backend, length) => this.array = array;

    /// <summary>Begins without an array, for a storage that has to exist before it can rent one.</summary>
    protected CpuStorage(Backend backend, int length)
        : base(backend, length)
    {
    }

    /// <summary>The array, which may be longer than the storage.</summary>
    /// <exception cref="ObjectDisposedException">The buffer went back to the pool: a fault of the engine, never of the caller's data.</exception>
    public float[] Array => array ?? throw new ObjectDisposedException(
        nameof(Storage), "This buffer was released by backward and is in use elsewhere. Please report this as a fault of Minigrad.");

    /// <summary>The numbers.</summary>
    public Span<float> Span => Array.AsSpan(0, Length);

    /// <summary>These numbers as the right operand of products.</summary>
    public PackedOperand Packed => (packed ??= new PackedOperand(this)).Plain;

    /// <summary>These numbers rounded, as the right operand of products. One format is kept at a time.</summary>
    public PackedOperand PackedRounded<TRounding>()
    {
        PackedOperand? kept = packed;
        return kept is RoundedOperand<TRounding> ? kept : packed = new RoundedOperand<TRounding>(this, Packed);
    }

    /// <inheritdoc/>
    protected override void ReturnBuffer() => Take();

    /// <summary>Gives this storage its array.</summary>
    protected void Put(float[] rented) => array = rented;

    /// <summary>Removes the array from this storage, so that no one reads what another tensor writes.</summary>
    /// <returns>Whether there was one still: of several returns only the first is true.</returns>
    protected bool Take() => Interlocked.Exchange(ref array, null) is not null;
}
