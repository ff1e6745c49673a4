namespace Minigrad.Backends.Cpu;

/// <summary>
/// The packed form of a matrix that is the right operand of products again and again, as the weights of a recurrent layer
/// are at each step. It is kept from the second product on for which the numbers have not changed, so weights that change
/// at each step are not kept.
/// </summary>
/// <param name="storage">Whose numbers.</param>
internal class PackedOperand(CpuStorage storage)
{
    private int straightVersion = -1;
    private int transposedVersion = -1;
    private Form? straight;
    private Form? transposed;

    /// <summary>The packed form of the numbers as they are.</summary>
    public virtual PackedOperand Plain => this;

    /// <summary>The version of the numbers as they are now.</summary>
    protected int Version => storage.Version;

    /// <summary>Records a product, and says whether the one before read the same numbers the same way.</summary>
    /// <param name="isTransposed">Whether the product reads them transposed.</param>
    public bool ComesAgain(bool isTransposed)
    {
        ref int lastVersion = ref isTransposed ? ref transposedVersion : ref straightVersion;
        bool isSame = lastVersion == storage.Version;
        lastVersion = storage.Version;
        return isSame;
    }

    /// <summary>The packed form, or null if there is none of the numbers as they are now.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="offset">Where the operand begins in the storage's array.</param>
    public AlignedBuffer? Find(MatrixProductShape shape, int offset)
    {
        Form? form = Volatile.Read(ref shape.TransposeRight ? ref transposed : ref straight);
        return form is not null && form.Version == storage.Version && (form.Columns, form.Depth, form.Offset) == (shape.Columns, shape.Depth, offset)
            ? form.Packed
            : null;
    }

    /// <summary>
    /// Room to pack into. That of numbers which have changed since is used again; one that holds is not, since another
    /// thread may be reading it.
    /// </summary>
    /// <param name="shape">The product.</param>
    /// <param name="length">How many packed numbers there will be.</param>
    public AlignedBuffer Buffer(MatrixProductShape shape, int length)
    {
        Form? old = Interlocked.Exchange(ref shape.TransposeRight ? ref transposed : ref straight, null);
        return old is not null && old.Version != storage.Version && old.Packed.Length >= length
            ? old.Packed
            : new AlignedBuffer(length);
    }

    /// <summary>Keeps a packed form.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="offset">Where the operand begins in the storage's array.</param>
    /// <param name="packed">The packed numbers.</param>
    public void Keep(MatrixProductShape shape, int offset, AlignedBuffer packed)
    {
        Form form = new(shape.Columns, shape.Depth, offset, storage.Version, packed);
        Volatile.Write(ref shape.TransposeRight ? ref transposed : ref straight, form);
    }

    private sealed record Form(int Columns, int Depth, int Offset, int Version, AlignedBuffer Packed);
}
