using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary><see cref="NarrowTile"/> for OpenCL; see <see cref="PortableWideTile"/>.</summary>
internal readonly struct PortableNarrowTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 4;

    /// <inheritdoc/>
    public static int Slices => 16;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => QuadAccess.ReadSingly(quads, index);
}
