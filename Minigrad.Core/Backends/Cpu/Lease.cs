namespace Minigrad.Backends.Cpu;

/// <summary>An array of a pool, and who has it: the storage is referred to weakly, so that its end can be seen.</summary>
/// <param name="array">The array, which stays with this lease for good.</param>
internal sealed class Lease(float[] array)
{
    // Until the owner's memory is free, not only until it is unreachable: a finalizer of a program's own may still read its tensors.
    private readonly WeakReference<Storage> owner = new(null!, trackResurrection: true);

    /// <summary>The array.</summary>
    public float[] Array { get; } = array;

    /// <summary>The place among the leases handed out, so that a return needs no search.</summary>
    public int Place { get; set; }

    /// <summary>Whether a collection has found the owner unreachable.</summary>
    public bool IsAbandoned => !owner.TryGetTarget(out _);

    /// <summary>Hands the array to a storage.</summary>
    /// <param name="storage">The owner from now on.</param>
    public void HandTo(Storage storage) => owner.SetTarget(storage);
}
