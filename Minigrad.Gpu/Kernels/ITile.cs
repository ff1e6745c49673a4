using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>How a group computes a part of a matrix product; constants by type, so that a kernel is compiled for them.</summary>
internal interface ITile
{
    /// <summary>A slice of a group has side × side threads.</summary>
    static abstract int Side { get; }

    /// <summary>Into how many slices of threads a group is divided, which share the depth; see <see cref="MatrixKernels.SlicedProduct"/>.</summary>
    static abstract int Slices { get; }

    /// <summary>Four numbers in shared memory.</summary>
    /// <param name="quads">The shared memory.</param>
    /// <param name="index">Which four.</param>
    static abstract Quad Read(ArrayView<Quad> quads, int index);
}
