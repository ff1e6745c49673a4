using ILGPU;

namespace Minigrad.Gpu;

/// <summary>Device memory for the length of one method. Given back when the method ends, though its kernels may still run.</summary>
internal readonly ref struct Scratch : IDisposable
{
    private readonly DeviceBufferPool pool;
    private readonly DeviceLease lease;

    /// <summary>Rents at least a number of 32-bit words.</summary>
    public Scratch(DeviceBufferPool pool, int words)
    {
        this.pool = pool;
        lease = pool.RentScratch(words);
    }

    /// <summary>The memory as float32 numbers.</summary>
    public ArrayView<float> Floats => lease.Floats;

    /// <summary>The memory as 32-bit integers.</summary>
    public ArrayView<int> Integers => Floats.Cast<int>();

    /// <summary>The memory as float64 numbers, half as many.</summary>
    public ArrayView<double> Doubles => Floats.SubView(0, Floats.Length & ~1L).Cast<double>();

    /// <inheritdoc/>
    public void Dispose() => pool.ReturnScratch(lease);
}
