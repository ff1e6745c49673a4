using ILGPU;

namespace Minigrad.Gpu;

/// <summary>
/// Device memory that several owners share: parameters side by side, or the tables of an optimizer's steps. It goes back to
/// the pool when the last of them is gone.
/// </summary>
internal sealed class Slab
{
    private const int Alignment = 32;

    private readonly DeviceLease lease;

    /// <summary>Rents at least a number of 32-bit words.</summary>
    public Slab(DeviceBufferPool pool, int words) => lease = pool.Rent(this, Math.Max(1, words));

    /// <summary>The memory as float32 numbers.</summary>
    public ArrayView<float> Floats => lease.Floats;

    /// <summary>The place after a part of so many words, on a boundary that wide loads like.</summary>
    /// <param name="words">The length of the part.</param>
    public static long Aligned(long words) => (words + Alignment - 1) / Alignment * Alignment;

    /// <summary>The memory as so many structs.</summary>
    /// <typeparam name="T">The struct, a whole number of words long.</typeparam>
    /// <param name="count">How many.</param>
    public ArrayView<T> As<T>(int count)
        where T : unmanaged => Floats.SubView(0, (long)count * Words<T>()).Cast<T>();

    /// <summary>How many words a struct takes.</summary>
    /// <typeparam name="T">The struct.</typeparam>
    public static int Words<T>()
        where T : unmanaged => Interop.SizeOf<T>() / sizeof(float);
}
