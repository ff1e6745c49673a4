namespace Minigrad.Backends.Cpu;

/// <summary>
/// The packed form of a matrix whose numbers are rounded when they are packed. It refers to the plain one, and takes its place
/// in the storage: a training step makes a dozen of those, and few programs one of these.
/// </summary>
/// <typeparam name="TRounding">How they are rounded.</typeparam>
/// <param name="storage">Whose numbers.</param>
/// <param name="plain">The packed form of the numbers as they are.</param>
internal sealed class RoundedOperand<TRounding>(CpuStorage storage, PackedOperand plain) : PackedOperand(storage)
{
    // Twice the version of the numbers that it was settled for, and one more if they are paired.
    private long settled = -1;

    /// <inheritdoc/>
    public override PackedOperand Plain => plain;

    /// <summary>
    /// Whether two numbers share the room of one; null while that is not settled for the numbers as they are now. Once settled it
    /// holds: another thread that comes to another answer must not take what is kept for the other form.
    /// </summary>
    public bool? IsPaired
    {
        get
        {
            long found = Volatile.Read(ref settled);
            return found >> 1 == Version ? (found & 1) != 0 : null;
        }

        set
        {
            long before = Volatile.Read(ref settled);
            if (before >> 1 != Version)
            {
                Interlocked.CompareExchange(ref settled, (2L * Version) + (value == true ? 1 : 0), before);
            }
        }
    }
}
