using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Four numbers of shared memory, read one by one.</summary>
internal static class QuadAccess
{
    /// <summary>Four numbers.</summary>
    /// <param name="quads">The shared memory.</param>
    /// <param name="index">Which four.</param>
    public static Quad ReadSingly(ArrayView<Quad> quads, int index)
    {
        ArrayView<float> numbers = quads.Cast<float>();
        int start = 4 * index;
        return new Quad(numbers[start], numbers[start + 1], numbers[start + 2], numbers[start + 3]);
    }
}
