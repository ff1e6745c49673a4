using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Minigrad.Numerics;

/// <summary>Four float32 numbers in a 128-bit register (SSE or ARM NEON).</summary>
/// <remarks>
/// Operations make their results by a cast of the bits: a constructor would be one more call in each for the JIT to inline, and it
/// inlines a limited number into one loop.
/// </remarks>
public readonly struct Lanes128 : ILanes<Lanes128>
{
    private readonly Vector128<float> value;

    /// <summary>Wraps a vector.</summary>
    /// <param name="value">The lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Lanes128(Vector128<float> value) => this.value = value;

    /// <inheritdoc/>
    public static int Count => Vector128<float>.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes128(float value) => Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes128(double value) => Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Create((float)value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 x, Lanes128 y) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value + y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 x, Lanes128 y) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value - y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 x, Lanes128 y) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value * y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(float c, Lanes128 x) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 x, float c) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 x, Lanes128 y) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value / y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 x, float c) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value / c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 x) => Unsafe.BitCast<Vector128<float>, Lanes128>(x.value ^ SignBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Less(Lanes128 x, Lanes128 y, Lanes128 whenTrue, Lanes128 whenFalse) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.ConditionalSelect(Vector128.LessThan(x.value, y.value), whenTrue.value, whenFalse.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 IfNaN(Lanes128 x, Lanes128 whenTrue, Lanes128 whenFalse) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.ConditionalSelect(Vector128.Equals(x.value, x.value), whenFalse.value, whenTrue.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Abs(Lanes128 x) => Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Abs(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 x, Lanes128 y) => IfNaN(y, y, Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.MaxNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Min(Lanes128 x, Lanes128 y) => IfNaN(y, y, Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.MinNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sqrt(Lanes128 x) => Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Sqrt(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Exp(Lanes128 x) => ElementaryFunctions.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ExpM1(Lanes128 x) => ElementaryFunctions.ExpM1(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Log(Lanes128 x) => ElementaryFunctions.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Log1P(Lanes128 x) => ElementaryFunctions.Log1P(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sin(Lanes128 x) => ElementaryFunctions.Sin(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Cos(Lanes128 x) => ElementaryFunctions.Cos(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Tanh(Lanes128 x) => ElementaryFunctions.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sigmoid(Lanes128 x) => ElementaryFunctions.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Softplus(Lanes128 x) => ElementaryFunctions.Softplus(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Erf(Lanes128 x) => ElementaryFunctions.Erf(x);

    /// <inheritdoc/>
    /// <remarks>A call of its own: two of them in one loop, as a slope has, are more than the JIT inlines.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static Lanes128 Pow(Lanes128 x, Lanes128 y) => ElementaryFunctions.Pow(x, y);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 x, Lanes128 y, Lanes128 z) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.MultiplyAddEstimate(x.value, y.value, z.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref readonly float x, Lanes128 y, ref Lanes128 sum) => AddProduct((Lanes128)x, y, ref sum);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lanes128 x, Lanes128 y, ref Lanes128 sum) =>
        Unsafe.AsRef(in sum.value) = Vector128.MultiplyAddEstimate(x.value, y.value, sum.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Round(Lanes128 x) => Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Round(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Clamp(Lanes128 x, Lanes128 low, Lanes128 high) =>
        Less(x, low, low, Less(high, x, high, x));

    /// <inheritdoc/>
    /// <remarks>In two steps, since 2ⁿ itself may overflow where the product does not.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Scale(Lanes128 x, Lanes128 n)
    {
        Vector128<int> whole = Vector128.ConvertToInt32Native(n.value);
        Vector128<int> half = whole >> 1;
        Vector128<int> bias = Vector128.Create(127);
        return Unsafe.BitCast<Vector128<float>, Lanes128>(x.value * ((half + bias) << 23).AsSingle() * ((whole - half + bias) << 23).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 n) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(((Vector128.ConvertToInt32Native(n.value) + Vector128.Create(127)) << 23).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SplitNormal(Lanes128 x, out Lanes128 exponent)
    {
        Vector128<int> start = Vector128.Create(0x3F2A_AAAB); // ⅔
        Vector128<int> bits = x.value.AsInt32() - start;
        exponent = Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.ConvertToSingle(bits >> 23));
        return Unsafe.BitCast<Vector128<float>, Lanes128>(((bits & Vector128.Create(0x007F_FFFF)) + start).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Split(Lanes128 x, out Lanes128 exponent)
    {
        Vector128<float> isSmall = Vector128.LessThan(x.value, Vector128.Create(1.17549435e-38f));
        Vector128<float> isNormal = Vector128.AndNot(Vector128.LessThan(x.value, Vector128.Create(float.PositiveInfinity)), isSmall);
        if (Vector128.EqualsAll(isNormal.AsInt32(), Vector128<int>.AllBitsSet))
        {
            return SplitNormal(x, out exponent);
        }

        // A subnormal is scaled by 2²³ first, so that it has the exponent of a normal.
        Vector128<float> scaled = Vector128.ConditionalSelect(isSmall, x.value * Vector128.Create(8388608f), x.value);
        Lanes128 m = SplitNormal(Unsafe.BitCast<Vector128<float>, Lanes128>(scaled), out Lanes128 e);
        Lanes128 ofNotPositive = Less(x, 0f, float.NaN, float.NegativeInfinity);
        exponent = Less(0f, x, Unsafe.BitCast<Vector128<float>, Lanes128>(e.value - (isSmall & Vector128.Create(23f))), ofNotPositive);
        exponent = Less(x, float.PositiveInfinity, exponent, x);
        return m;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 HighHalf(Lanes128 x) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>((x.value.AsInt32() & Vector128.Create(~0x0FFF)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 CopySign(Lanes128 magnitude, Lanes128 sign) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.ConditionalSelect(SignBit, sign.value, magnitude.value));

    /// <inheritdoc/>
    /// <remarks>By the constructor: a cast of what is read from memory, passed to a call, the JIT would copy in halves.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(ref readonly float source, nuint offset) => new(Vector128.LoadUnsafe(in source, offset));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, ref float destination, nuint offset) =>
        value.value.StoreUnsafe(ref destination, offset);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadPartial(ref readonly float source, nuint offset, int count, float padding) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(PartialVector.Read128(in source, offset, count, padding));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Lanes128 value, ref float destination, nuint offset, int count) =>
        PartialVector.Write(value.value, ref destination, offset, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Exchange(Lanes128 x, int distance) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(Vector128.Shuffle(x.value, Vector128<int>.Indices ^ Vector128.Create(distance)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Lanes128 x) => x.value.ToScalar();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FirstEqual(Lanes128 x, Lanes128 y) =>
        BitOperations.TrailingZeroCount((Vector128.Equals(x.value, y.value) | ~Vector128.Equals(x.value, x.value)).ExtractMostSignificantBits());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Pair(Lanes128 low, Lanes128 high, int spare) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(((UpperHalf(low, spare) >> 16) | UpperHalf(high, spare)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LowOfPair(Lanes128 pair, int spare)
    {
        Lanes128 moved = Unsafe.BitCast<Vector128<float>, Lanes128>((pair.value.AsUInt32() << 16).AsSingle());
        return spare == 0 ? moved : HighOfPair(moved, spare);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 HighOfPair(Lanes128 pair, int spare) =>
        Unsafe.BitCast<Vector128<float>, Lanes128>(
            ((pair.value.AsInt32() >> spare).AsUInt32() & Vector128.Create(0x8000_0000u | (0x7FFF_0000u >> spare))).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 value) => Vector128.Sum(value.value);

    private static Vector128<float> SignBit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(-0f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> UpperHalf(Lanes128 x, int spare)
    {
        Vector128<uint> bits = x.value.AsUInt32();
        return (bits & Vector128.Create(0x8000_0000u)) | ((bits << spare) & Vector128.Create(0x7FFF_0000u));
    }
}
