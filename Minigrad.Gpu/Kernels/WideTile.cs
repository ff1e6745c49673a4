using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>16 × 16 threads; shared memory is read 16 bytes at a time.</summary>
internal readonly struct WideTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 16;

    /// <inheritdoc/>
    public static int Slices => 1;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => quads[index];
}
