using ILGPU;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>A buffer of the pool, and who has it: the owner is referred to weakly, so that its end can be seen.</summary>
/// <param name="buffer">The buffer, which stays with this lease for good.</param>
internal sealed class DeviceLease(DeviceBuffer buffer)
{
    // Until the owner's memory is free, not only until it is unreachable: a finalizer of a program's own may still read its tensors.
    private readonly WeakReference<object> owner = new(null!, trackResurrection: true);

    /// <summary>The buffer.</summary>
    public DeviceBuffer Buffer { get; } = buffer;

    /// <summary>
    /// All of its numbers. Kept here, because a buffer whose device was disposed gives an empty view, of which to take a part
    /// ends the process; a launch with this one is refused in time, by the queue's lock.
    /// </summary>
    public ArrayView<float> Floats { get; } = buffer.View.BaseView;

    /// <summary>The place among the leases handed out, so that a return needs no search.</summary>
    public int Place { get; set; }

    /// <summary>How many numbers the owner asked for.</summary>
    public int Length { get; private set; }

    /// <summary>Whether a collection has found the owner unreachable.</summary>
    public bool IsAbandoned => !owner.TryGetTarget(out _);

    /// <summary>Hands the buffer to a storage, or to a slab that several share.</summary>
    /// <param name="next">The owner from now on.</param>
    /// <param name="length">How many numbers it asked for.</param>
    public void HandTo(object next, int length)
    {
        owner.SetTarget(next);
        Length = length;
    }
}
