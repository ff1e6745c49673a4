using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>The places of four elements of a chunk that one thread reads at once; neighbouring threads have neighbouring ones.</summary>
/// <param name="chunk">The chunk.</param>
/// <param name="i">The number in the chunk of the first.</param>
/// <param name="stride">From one number to the next.</param>
internal readonly struct QuadPlace(Chunk chunk, int i, int stride)
{
    /// <summary>The first place within the parameter.</summary>
    public readonly int X = chunk.Element(i);

    /// <summary>The second place.</summary>
    public readonly int Y = chunk.Element(i + stride);

    /// <summary>The third place.</summary>
    public readonly int Z = chunk.Element(i + (2 * stride));

    /// <summary>The fourth place.</summary>
    public readonly int W = chunk.Element(i + (3 * stride));

    /// <summary>The numbers there.</summary>
    /// <param name="x">The memory.</param>
    /// <param name="offset">Where the parameter begins in it.</param>
    public Quad Read(ArrayView<float> x, int offset) => new(x[offset + X], x[offset + Y], x[offset + Z], x[offset + W]);
}
