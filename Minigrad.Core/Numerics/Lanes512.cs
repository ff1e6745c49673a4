using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Minigrad.Numerics;

/// <summary>Sixteen float32 numbers in a 512-bit register (AVX-512).</summary>
/// <remarks>
/// Operations make their results by a cast of the bits: a constructor would be one more call in each for the JIT to inline, and it
/// inlines a limited number into one loop.
/// </remarks>
public readonly struct Lanes512 : ILanes<Lanes512>
{
    private readonly Vector512<float> value;

    /// <summary>Wraps a vector.</summary>
    /// <param name="value">The lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Lanes512(Vector512<float> value) => this.value = value;

    /// <inheritdoc/>
    public static int Count => Vector512<float>.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes512(float value) => Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes512(double value) => Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.Create((float)value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 x, Lanes512 y) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value + y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 x, Lanes512 y) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value - y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 x, Lanes512 y) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value * y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(float c, Lanes512 x) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 x, float c) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 x, Lanes512 y) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value / y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 x, float c) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value / c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 x) => Unsafe.BitCast<Vector512<float>, Lanes512>(x.value ^ SignBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Less(Lanes512 x, Lanes512 y, Lanes512 whenTrue, Lanes512 whenFalse) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ConditionalSelect(Vector512.LessThan(x.value, y.value), whenTrue.value, whenFalse.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 IfNaN(Lanes512 x, Lanes512 whenTrue, Lanes512 whenFalse) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ConditionalSelect(Vector512.Equals(x.value, x.value), whenFalse.value, whenTrue.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Abs(Lanes512 x) => Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.Abs(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 x, Lanes512 y) => IfNaN(y, y, Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.MaxNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Min(Lanes512 x, Lanes512 y) => IfNaN(y, y, Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.MinNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sqrt(Lanes512 x) => Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.Sqrt(x.value));

    /// <inheritdoc/>
    /// <remarks>
    /// <see cref="ElementaryFunctions.Exp"/> without bounds for x: the scaling here takes every n, and gives NaN, 0 or ∞ where it is NaN or
    /// infinite. Only r, which means nothing where n is that large, is kept within ±1: an instruction, which also replaces a NaN, in place of four.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Exp(Lanes512 x)
    {
        const byte SmallerMagnitude = 0b0010; // with the sign of the first
        Lanes512 r = ElementaryFunctions.ReduceByLn2(x, out Lanes512 n);
        Vector512<float> bounded = Avx512DQ.Range(r.value, Vector512<float>.One, SmallerMagnitude);
        return Scale(ElementaryFunctions.ExpOfReduced(Unsafe.BitCast<Vector512<float>, Lanes512>(bounded)), n);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ExpM1(Lanes512 x) => ElementaryFunctions.ExpM1(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Log(Lanes512 x) => ElementaryFunctions.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Log1P(Lanes512 x) => ElementaryFunctions.Log1P(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sin(Lanes512 x) => ElementaryFunctions.Sin(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Cos(Lanes512 x) => ElementaryFunctions.Cos(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Tanh(Lanes512 x) => ElementaryFunctions.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sigmoid(Lanes512 x) => ElementaryFunctions.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Softplus(Lanes512 x) => ElementaryFunctions.Softplus(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Erf(Lanes512 x) => ElementaryFunctions.Erf(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Pow(Lanes512 x, Lanes512 y) => ElementaryFunctions.Pow(x, y);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 x, Lanes512 y, Lanes512 z) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.MultiplyAddEstimate(x.value, y.value, z.value));

    /// <inheritdoc/>
    /// <remarks>Of two plain reads of one place the JIT makes one, and an instruction of it; volatile ones stay in their multiply-adds.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref readonly float x, Lanes512 y, ref Lanes512 sum) =>
        Unsafe.AsRef(in sum.value) = Vector512.MultiplyAddEstimate(y.value, Vector512.Create(Volatile.Read(in x)), sum.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lanes512 x, Lanes512 y, ref Lanes512 sum) =>
        Unsafe.AsRef(in sum.value) = Vector512.MultiplyAddEstimate(x.value, y.value, sum.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Round(Lanes512 x) => Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.Round(x.value));

    /// <inheritdoc/>
    /// <remarks>The instructions give their second operand where one is NaN.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Clamp(Lanes512 x, Lanes512 low, Lanes512 high) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Avx512F.Min(high.value, Avx512F.Max(low.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Scale(Lanes512 x, Lanes512 n) => Unsafe.BitCast<Vector512<float>, Lanes512>(Avx512F.Scale(x.value, n.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PowerOfTwo(Lanes512 n) => Scale(1f, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SplitNormal(Lanes512 x, out Lanes512 exponent) => Split(x, out exponent);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Split(Lanes512 x, out Lanes512 exponent)
    {
        Vector512<float> m = Avx512F.GetMantissa(x.value, 0b1000); // within 1 … 2, NaN below 0
        Vector512<float> e = Avx512F.GetExponent(x.value);
        Vector512<float> isSmall = Vector512.LessThan(m, Vector512.Create(1.33333337f));
        exponent = Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ConditionalSelect(isSmall, e, e + Vector512<float>.One));
        return Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ConditionalSelect(isSmall, m, m * Vector512.Create(0.5f)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 HighHalf(Lanes512 x) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>((x.value.AsInt32() & Vector512.Create(~0x0FFF)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 CopySign(Lanes512 magnitude, Lanes512 sign) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ConditionalSelect(SignBit, sign.value, magnitude.value));

    /// <inheritdoc/>
    /// <remarks>By the constructor: a cast of what is read from memory, passed to a call, the JIT would copy in halves.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(ref readonly float source, nuint offset) => new(Vector512.LoadUnsafe(in source, offset));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 value, ref float destination, nuint offset) =>
        value.value.StoreUnsafe(ref destination, offset);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadPartial(ref readonly float source, nuint offset, int count, float padding) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(PartialVector.Read512(in source, offset, count, padding));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Lanes512 value, ref float destination, nuint offset, int count) =>
        PartialVector.Write(value.value, ref destination, offset, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Exchange(Lanes512 x, int distance) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(Vector512.ShuffleNative(x.value, Vector512<int>.Indices ^ Vector512.Create(distance)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Lanes512 x) => x.value.ToScalar();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FirstEqual(Lanes512 x, Lanes512 y) =>
        BitOperations.TrailingZeroCount((Vector512.Equals(x.value, y.value) | ~Vector512.Equals(x.value, x.value)).ExtractMostSignificantBits());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Pair(Lanes512 low, Lanes512 high, int spare) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(((UpperHalf(low, spare) >> 16) | UpperHalf(high, spare)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LowOfPair(Lanes512 pair, int spare)
    {
        Lanes512 moved = Unsafe.BitCast<Vector512<float>, Lanes512>((pair.value.AsUInt32() << 16).AsSingle());
        return spare == 0 ? moved : HighOfPair(moved, spare);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 HighOfPair(Lanes512 pair, int spare) =>
        Unsafe.BitCast<Vector512<float>, Lanes512>(
            ((pair.value.AsInt32() >> spare).AsUInt32() & Vector512.Create(0x8000_0000u | (0x7FFF_0000u >> spare))).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 value) => Vector512.Sum(value.value);

    private static Vector512<float> SignBit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(-0f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> UpperHalf(Lanes512 x, int spare)
    {
        Vector512<uint> bits = x.value.AsUInt32();
        return (bits & Vector512.Create(0x8000_0000u)) | ((bits << spare) & Vector512.Create(0x7FFF_0000u));
    }
}
