using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Four numbers that CUDA reads and writes with one instruction of 16 bytes, where they lie at a multiple of that. Named
/// fields, because an array that is indexed by a variable would live in the device's slow local memory.
/// </summary>
/// <param name="x">The first number.</param>
/// <param name="y">The second number.</param>
/// <param name="z">The third number.</param>
/// <param name="w">The fourth number.</param>
internal readonly struct Quad(float x, float y, float z, float w)
{
    /// <summary>The first number.</summary>
    public readonly float X = x;

    /// <summary>The second number.</summary>
    public readonly float Y = y;

    /// <summary>The third number.</summary>
    public readonly float Z = z;

    /// <summary>The fourth number.</summary>
    public readonly float W = w;

    /// <summary>Four numbers that lie a stride apart: neighbouring threads read neighbouring numbers, wherever they begin.</summary>
    /// <param name="x">The memory.</param>
    /// <param name="start">The place of the first.</param>
    /// <param name="stride">From one to the next.</param>
    public static Quad Strided(ArrayView<float> x, int start, int stride) =>
        new(x[start], x[start + stride], x[start + (2 * stride)], x[start + (3 * stride)]);

    /// <summary>The sums of the numbers, one by one.</summary>
    public static Quad operator +(Quad a, Quad b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    /// <summary>this + factor · other. The device's compiler makes four fused multiply-adds of it.</summary>
    /// <param name="factor">The factor.</param>
    /// <param name="other">The numbers to multiply.</param>
    public Quad AddProduct(float factor, Quad other) =>
        new(X + (factor * other.X), Y + (factor * other.Y), Z + (factor * other.Z), W + (factor * other.W));
}
