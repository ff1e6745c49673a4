using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <summary>
/// A storage's numbers in a format of 16 bits, kept with it from the second product on for which they have not changed. From then
/// on they are kept as soon as they change, since weights come back in backward; what one product reads is not.
/// </summary>
/// <typeparam name="TRounding">The format.</typeparam>
/// <param name="storage">Whose numbers.</param>
internal sealed class PairedNumbers<TRounding>(GpuStorage storage)
    where TRounding : unmanaged, IRounding
{
    private int seenVersion = -1;
    private int keptVersion = -1;
    private Slab? words;

    /// <summary>Where they are kept, or null if they are not.</summary>
    /// <param name="pool">Where room for them comes from.</param>
    /// <param name="isCurrent">Whether they are there, or only the room for them, to be filled at once.</param>
    public Slab? Find(DeviceBufferPool pool, out bool isCurrent)
    {
        int version = storage.Version;
        isCurrent = words is not null && keptVersion == version;
        if (words is null && seenVersion == version)
        {
            words = new Slab(pool, (storage.Length + 1) / 2);
        }

        seenVersion = version;
        keptVersion = words is null ? -1 : version;
        return words;
    }
}
