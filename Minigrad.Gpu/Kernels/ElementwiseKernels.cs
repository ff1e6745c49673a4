using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Loops over formulas: one thread an element. Where nothing is broadcast a kernel of its own has no index arithmetic;
/// integer division is slow on every device, and compilers run it whether its result is used or not.
/// </summary>
internal static class ElementwiseKernels
{
    /// <summary>y[i] = value.</summary>
    public static void Fill(Index1D i, float value, ArrayView<float> y) => y[i] = value;

    /// <summary>y[i] = a sample; the same numbers as on every other backend.</summary>
    public static void Sample<TDistribution>(
        Index1D i, TDistribution distribution, ulong seed, ulong stream, ulong position, ArrayView<float> y)
        where TDistribution : unmanaged, IDistribution
    {
        Philox.Uniform(seed, stream, position + (ulong)i.X, out float u, out float v);
        y[i] = distribution.Sample(new Scalar(u), new Scalar(v)).Value;
    }

    /// <summary>y[i] = f(x[i]).</summary>
    public static void Map<TOp>(Index1D i, TOp op, ArrayView<float> x, ArrayView<float> y)
        where TOp : unmanaged, IUnaryOp => y[i] = op.Forward(new Scalar(x[i])).Value;

    /// <summary>y[i] = f(a[i], b[i]), nothing broadcast.</summary>
    public static void Zip<TOp>(Index1D i, TOp op, ArrayView<float> a, ArrayView<float> b, ArrayView<float> y)
        where TOp : unmanaged, IBinaryOp => y[i] = op.Forward(new Scalar(a[i]), new Scalar(b[i])).Value;

    /// <summary>y[i] = f(a[i], b[i]), each operand broadcast in its own way.</summary>
    public static void ZipBroadcast<TOp>(Index1D i, TOp op, OperandView a, OperandView b, ArrayView<float> y)
        where TOp : unmanaged, IBinaryOp => y[i] = op.Forward(new Scalar(a.Read(i)), new Scalar(b.Read(i))).Value;

    /// <summary>y[i] = f(a[i], b[i], c[i]), nothing broadcast.</summary>
    public static void Combine<TOp>(
        Index1D i, TOp op, ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, ArrayView<float> y)
        where TOp : unmanaged, ITernaryOp =>
        y[i] = op.Forward(new Scalar(a[i]), new Scalar(b[i]), new Scalar(c[i])).Value;

    /// <summary>y[i] = f(a[i], b[i], c[i]), each operand broadcast in its own way.</summary>
    public static void CombineBroadcast<TOp>(
        Index1D i, TOp op, OperandView a, OperandView b, OperandView c, ArrayView<float> y)
        where TOp : unmanaged, ITernaryOp =>
        y[i] = op.Forward(new Scalar(a.Read(i)), new Scalar(b.Read(i)), new Scalar(c.Read(i))).Value;
}
