using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary><see cref="SlicedTile"/> for OpenCL; see <see cref="PortableWideTile"/>.</summary>
internal readonly struct PortableSlicedTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 8;

    /// <inheritdoc/>
    public static int Slices => 4;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => QuadAccess.ReadSingly(quads, index);
}
