using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Sixteen slices of 4 × 4 threads, for a step of a recurrent layer.</summary>
internal readonly struct NarrowTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 4;

    /// <inheritdoc/>
    public static int Slices => 16;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => quads[index];
}
