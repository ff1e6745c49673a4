using ILGPU;
using DeviceBuffer = ILGPU.Runtime.MemoryBuffer1D<float, ILGPU.Stride1D.Dense>;

namespace Minigrad.Gpu;

/// <summary>Device memory for the length of one method. Given back when the method ends, though its kernels may still run.</summary>
internal readonly ref struct Scratch : IDisposable
{
    private readonly DeviceBufferPool pool;
    private readonly DeviceBuffer buffer;

    /// <summary>Rents at least a number of 32-bit words.</summary>
    public Scratch(DeviceBufferPool pool, int words)
    {
        this.pool = pool;
        buffer = pool.Rent(words);
    }

    /// <summary>The memory as float32 numbers.</summary>
    public ArrayView<float> Floats => buffer.View.BaseView;

    /// <summary>The memory as 32-bit integers.</summary>
    public ArrayView<int> Integers => Floats.Cast<int>();

    /// <summary>The memory as float64 numbers, half as many.</summary>
    public ArrayView<double> Doubles => Floats.SubView(0, Floats.Length & ~1L).Cast<double>();

    /// <inheritdoc/>
    public void Dispose() => pool.Return(buffer);
}
