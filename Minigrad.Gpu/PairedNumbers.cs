using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>
/// A storage's numbers in a format of 16 bits, kept with it from the second product on for which they have not changed. From then
/// on they are kept as soon as they change, since weights come back in backward; what one product reads is not.
/// </summary>
/// <remarks>
/// Threads that share weights may ask at once. Numbers are found only after the work that fills their room was queued, so whoever finds
/// them is queued behind it; two that fill the same room write the same.
/// </remarks>
/// <typeparam name="TRounding">The format.</typeparam>
/// <param name="length">How many numbers there are.</param>
internal sealed class PairedNumbers<TRounding>(int length)
    where TRounding : unmanaged, IRounding
{
    private int seenVersion = -1;
    private Kept? kept;

    /// <summary>Where the numbers are, or null if they are not kept.</summary>
    /// <param name="version">The version of the storage's numbers.</param>
    public Slab? Find(int version) => Volatile.Read(ref kept) is { } found && found.Version == version ? found.Words : null;

    /// <summary>Records a product for which they were not found, and gives the room to keep them in, or null if they shall not be kept.</summary>
    /// <param name="pool">Where room comes from.</param>
    /// <param name="version">The version of the storage's numbers.</param>
    public Slab? Room(DeviceBufferPool pool, int version)
    {
        bool comesAgain = Interlocked.Exchange(ref seenVersion, version) == version;
        return Volatile.Read(ref kept)?.Words ?? (comesAgain ? new Slab(pool, (int)(((long)length + 1) / 2)) : null);
    }

    /// <summary>Keeps numbers, once the work that fills their room is queued.</summary>
    /// <param name="words">The room.</param>
    /// <param name="version">The version of the storage's numbers that it is filled with.</param>
    public void Keep(Slab words, int version) => Volatile.Write(ref kept, new Kept(words, version));

    private sealed record Kept(Slab Words, int Version);
}
