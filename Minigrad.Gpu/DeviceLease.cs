using Minigrad.Backends;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>A buffer of the pool, and who has it: the storage is referred to weakly, so that its end can be seen.</summary>
/// <param name="buffer">The buffer, which stays with this lease for good.</param>
internal sealed class DeviceLease(DeviceBuffer buffer)
{
    private readonly WeakReference<Storage> owner = new(null!);

    /// <summary>The buffer.</summary>
    public DeviceBuffer Buffer { get; } = buffer;

    /// <summary>The place among the leases handed out, so that a return needs no search.</summary>
    public int Place { get; set; }

    /// <summary>How many numbers the owner asked for.</summary>
    public int Length { get; private set; }

    /// <summary>Whether a collection has found the owner unreachable.</summary>
    public bool IsAbandoned => !owner.TryGetTarget(out _);

    /// <summary>Hands the buffer to a storage.</summary>
    /// <param name="storage">The owner from now on.</param>
    public void HandTo(Storage storage)
    {
        owner.SetTarget(storage);
        Length = storage.Length;
    }
}
