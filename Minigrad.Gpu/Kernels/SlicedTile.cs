using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Four slices of 8 × 8 threads, for products with few elements.</summary>
internal readonly struct SlicedTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 8;

    /// <inheritdoc/>
    public static int Slices => 4;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => quads[index];
}
