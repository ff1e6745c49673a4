using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>
/// One float32. This is the number type of GPU kernels, and the only door to device arithmetic: whatever ILGPU
/// compiles wrongly is avoided here and nowhere else.
/// </summary>
/// <remarks>
/// Rules of this file, each for a fault seen in ILGPU 1.5.3: no call into the base class library that a device would
/// have to compile; comparisons test for NaN first (OpenCL ignores unordered compares); a selection has float results,
/// never <c>c ? 1 : 0</c>; <c>Min</c> and <c>Max</c> are written out (PTX <c>min</c> drops NaN); bits go through
/// the signed conversions of <see cref="BitConverter"/>, which ILGPU knows (the unsigned ones do not compile, and an
/// address taken with <c>Unsafe.As</c> puts the number into local memory).
/// </remarks>
public readonly struct Scalar : IMachineReal<Scalar>
{
    private const float RoundingMagic = 8388608f; // 2²³: adding it to a positive number leaves no bits for a fraction.
    private const uint SignBit = 0x8000_0000u;

    /// <summary>The number.</summary>
    public readonly float Value;

    /// <summary>Wraps a float.</summary>
    /// <param name="value">The number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Scalar(float value) => Value = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Scalar(float value) => new(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Scalar(double value) => new((float)value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator +(Scalar x, Scalar y) => new(x.Value + y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator -(Scalar x, Scalar y) => new(x.Value - y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator *(Scalar x, Scalar y) => new(x.Value * y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator *(float c, Scalar x) => new(c * x.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator *(Scalar x, float c) => new(x.Value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator /(Scalar x, Scalar y) => new(x.Value / y.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator /(Scalar x, float c) => new(x.Value / c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator -(Scalar x) => new(-x.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Less(Scalar x, Scalar y, Scalar whenTrue, Scalar whenFalse)
    {
        if (float.IsNaN(x.Value) || float.IsNaN(y.Value))
        {
            return whenFalse;
        }

        return x.Value < y.Value ? whenTrue : whenFalse;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar IfNaN(Scalar x, Scalar whenTrue, Scalar whenFalse) => float.IsNaN(x.Value) ? whenTrue : whenFalse;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Abs(Scalar x) => FromBits(Bits(x) & ~SignBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Max(Scalar x, Scalar y) => IfNaN(x, x, IfNaN(y, y, Less(x, y, y, x)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Min(Scalar x, Scalar y) => IfNaN(x, x, IfNaN(y, y, Less(y, x, y, x)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Sqrt(Scalar x) => new(MathF.Sqrt(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Exp(Scalar x) => ElementaryFunctions.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar ExpM1(Scalar x) => ElementaryFunctions.ExpM1(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Log(Scalar x) => ElementaryFunctions.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Log1P(Scalar x) => ElementaryFunctions.Log1P(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Sin(Scalar x) => ElementaryFunctions.Sin(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Cos(Scalar x) => ElementaryFunctions.Cos(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Tanh(Scalar x) => ElementaryFunctions.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Sigmoid(Scalar x) => ElementaryFunctions.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Softplus(Scalar x) => ElementaryFunctions.Softplus(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Erf(Scalar x) => ElementaryFunctions.Erf(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Pow(Scalar x, Scalar y) => ElementaryFunctions.Pow(x, y);

    /// <inheritdoc/>
    /// <remarks>Two roundings in C#; a device's compiler fuses them where it can.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar MultiplyAdd(Scalar x, Scalar y, Scalar z) => new((x.Value * y.Value) + z.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Round(Scalar x)
    {
        Scalar magnitude = Abs(x);
        Scalar rounded = new(magnitude.Value + RoundingMagic - RoundingMagic);
        return CopySign(Less(magnitude, RoundingMagic, rounded, magnitude), x);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Clamp(Scalar x, Scalar low, Scalar high) => Less(x, low, low, Less(high, x, high, x));

    /// <inheritdoc/>
    /// <remarks>In two steps, since 2ⁿ itself may overflow where the product does not.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Scale(Scalar x, Scalar n)
    {
        int whole = (int)n.Value;
        int half = whole >> 1;
        return x * FromBits((uint)(half + 127) << 23) * FromBits((uint)(whole - half + 127) << 23);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar PowerOfTwo(Scalar n) => FromBits((uint)((int)n.Value + 127) << 23);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar SplitNormal(Scalar x, out Scalar exponent)
    {
        int bits = (int)Bits(x) - 0x3F2A_AAAB; // ⅔
        exponent = new(bits >> 23);
        return FromBits((uint)((bits & 0x007F_FFFF) + 0x3F2A_AAAB));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Split(Scalar x, out Scalar exponent)
    {
        // A subnormal is scaled by 2²³ first, so that it has the exponent of a normal.
        const float smallestNormal = 1.17549435e-38f;
        Scalar m = SplitNormal(Less(x, smallestNormal, x * 8388608f, x), out Scalar e);
        Scalar ofNotPositive = Less(x, 0f, float.NaN, float.NegativeInfinity);
        exponent = Less(0f, x, e - Less(x, smallestNormal, 23f, 0f), ofNotPositive);
        exponent = Less(x, float.PositiveInfinity, exponent, x);
        return m;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar HighHalf(Scalar x) => FromBits(Bits(x) & ~0x0FFFu);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar CopySign(Scalar magnitude, Scalar sign) =>
        FromBits((Bits(magnitude) & ~SignBit) | (Bits(sign) & SignBit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Bits(Scalar x) => (uint)BitConverter.SingleToInt32Bits(x.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Scalar FromBits(uint bits) => new(BitConverter.Int32BitsToSingle((int)bits));
}
