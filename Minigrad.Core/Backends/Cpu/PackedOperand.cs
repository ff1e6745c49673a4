namespace Minigrad.Backends.Cpu;

/// <summary>
/// The packed form of a matrix that is the right operand of products again and again, as the weights of a recurrent layer
/// are at each step. It holds for as long as the numbers do not change.
/// </summary>
/// <param name="storage">Whose numbers.</param>
internal sealed class PackedOperand(CpuStorage storage)
{
    private volatile Form? form;

    /// <summary>The packed form, or null if there is none of the numbers as they are now.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="offset">Where the operand begins in the storage's array.</param>
    public float[]? Find(MatrixProductShape shape, int offset) =>
        form is { } found && found.Version == storage.Version && found.Fits(shape, offset) ? found.Packed : null;

    /// <summary>
    /// An array to pack into. That of numbers which have changed since is used again; one that holds is not, since another
    /// thread may be reading it.
    /// </summary>
    /// <param name="length">How long it must be.</param>
    public float[] Buffer(int length)
    {
        Form? old = Interlocked.Exchange(ref form, null);
        return old is not null && old.Version != storage.Version && old.Packed.Length >= length
            ? old.Packed
            : GC.AllocateUninitializedArray<float>(length);
    }

    /// <summary>Keeps a packed form.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="offset">Where the operand begins in the storage's array.</param>
    /// <param name="packed">The packed numbers.</param>
    public void Keep(MatrixProductShape shape, int offset, float[] packed) =>
        form = new Form(shape.Columns, shape.Depth, shape.TransposeRight, offset, storage.Version, packed);

    private sealed record Form(int Columns, int Depth, bool IsTransposed, int Offset, int Version, float[] Packed)
    {
        public bool Fits(MatrixProductShape shape, int offset) =>
            (shape.Columns, shape.Depth, shape.TransposeRight, offset) == (Columns, Depth, IsTransposed, Offset);
    }
}
