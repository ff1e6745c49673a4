using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary><see cref="WideTile"/> for OpenCL, where a struct of four numbers can be slow: PoCL ran 20 times slower with it.</summary>
internal readonly struct PortableWideTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 16;

    /// <inheritdoc/>
    public static int Slices => 1;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => QuadAccess.ReadSingly(quads, index);
}
