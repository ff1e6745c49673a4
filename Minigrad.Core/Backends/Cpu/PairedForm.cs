using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// The operand's numbers rounded to a format of 16 bits, two in the room of a float32. A product of few rows is as fast as its
/// weights are read, so half the bytes are up to half the time. To unpack two vectors takes two instructions for bfloat16, the
/// upper half of float32, and five for IEEE half.
/// </summary>
/// <remarks>
/// An IEEE half's five bits of exponent are float32's lower five, of a number that is 2¹⁰² times as small. So the upper three need
/// not be kept, and the left operand is multiplied by 2¹⁰² instead, once for all products with it: each product, and so each sum, is the
/// same to the bit. Subnormal halves are normal numbers there, on which no processor is slow. The price is the range: what is above
/// <see cref="Largest"/> has no room, and weights that large are kept as <see cref="RoundedForm{TRounding}"/>.
/// </remarks>
internal readonly struct PairedForm<TRounding> : IPackedForm
    where TRounding : unmanaged, IRounding
{
    private const long WeightsForEachRow = 1 << 19; // 2 MB of float32
    private const float Down = 1.9721523e-31f; // 2⁻¹⁰², which makes a half's smallest number, 2⁻²⁴, float32's smallest normal one
    private const float Up = 5.0706024e30f; // 2¹⁰²; the largest half times this is below 2¹¹⁸

    public static int Value => 2;

    public static int SpareBits => 8 - TRounding.ExponentBits;

    public static bool IsRounded => true;

    /// <summary>The largest magnitude for which there is room: with five bits (2 − 2⁻¹⁰) · 2⁶.</summary>
    public static float Largest => SpareBits == 0 ? float.PositiveInfinity : 127.9375f;

    /// <summary>What the left operand is multiplied by, since the packed numbers are divided by it.</summary>
    public static float LeftFactor => SpareBits == 0 ? 1f : Up;

    /// <summary>
    /// Whether half the bytes gain more time than unpacking takes. Two instructions are hidden behind the multiply-adds; five are not
    /// with many rows, which unpack again for every tile, nor with weights that the caches hold. Measured: docs/performance.md.
    /// </summary>
    public static bool IsRepaid(MatrixProductShape shape) =>
        SpareBits == 0 || (shape.Rows <= 8 && (long)shape.Depth * shape.Columns >= shape.Rows * WeightsForEachRow);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Round<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes rounded = RoundedForm<TRounding>.Round(x);
        return SpareBits == 0 ? rounded : Down * rounded;
    }
}
