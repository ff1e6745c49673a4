using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Two slices of 2 × 2 threads, as few as show a fault: the CPU accelerator starts a thread of the system for each.</summary>
internal readonly struct EmulatedTile : ITile
{
    /// <inheritdoc/>
    public static int Side => 2;

    /// <inheritdoc/>
    public static int Slices => 2;

    /// <inheritdoc/>
    public static Quad Read(ArrayView<Quad> quads, int index) => quads[index];
}
