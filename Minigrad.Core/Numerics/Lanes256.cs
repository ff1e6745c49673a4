using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Minigrad.Numerics;

/// <summary>Eight float32 numbers in a 256-bit register (AVX2).</summary>
/// <remarks>
/// Operations make their results by a cast of the bits: a constructor would be one more call in each for the JIT to inline, and it
/// inlines a limited number into one loop.
/// </remarks>
public readonly struct Lanes256 : ILanes<Lanes256>
{
    private readonly Vector256<float> value;

    /// <summary>Wraps a vector.</summary>
    /// <param name="value">The lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Lanes256(Vector256<float> value) => this.value = value;

    /// <inheritdoc/>
    public static int Count => Vector256<float>.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes256(float value) => Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Lanes256(double value) => Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.Create((float)value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 x, Lanes256 y) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value + y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 x, Lanes256 y) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value - y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 x, Lanes256 y) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value * y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(float c, Lanes256 x) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 x, float c) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value * c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 x, Lanes256 y) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value / y.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 x, float c) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value / c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 x) => Unsafe.BitCast<Vector256<float>, Lanes256>(x.value ^ SignBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Less(Lanes256 x, Lanes256 y, Lanes256 whenTrue, Lanes256 whenFalse) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.ConditionalSelect(Vector256.LessThan(x.value, y.value), whenTrue.value, whenFalse.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 IfNaN(Lanes256 x, Lanes256 whenTrue, Lanes256 whenFalse) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.ConditionalSelect(Vector256.Equals(x.value, x.value), whenFalse.value, whenTrue.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Abs(Lanes256 x) => Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.Abs(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 x, Lanes256 y) => IfNaN(y, y, Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.MaxNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Min(Lanes256 x, Lanes256 y) => IfNaN(y, y, Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.MinNative(y.value, x.value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sqrt(Lanes256 x) => Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.Sqrt(x.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Exp(Lanes256 x) => ElementaryFunctions.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ExpM1(Lanes256 x) => ElementaryFunctions.ExpM1(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Log(Lanes256 x) => ElementaryFunctions.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Log1P(Lanes256 x) => ElementaryFunctions.Log1P(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sin(Lanes256 x) => ElementaryFunctions.Sin(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Cos(Lanes256 x) => ElementaryFunctions.Cos(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Tanh(Lanes256 x) => ElementaryFunctions.Tanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sigmoid(Lanes256 x) => ElementaryFunctions.Sigmoid(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Softplus(Lanes256 x) => ElementaryFunctions.Softplus(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Erf(Lanes256 x) => ElementaryFunctions.Erf(x);

    /// <inheritdoc/>
    /// <remarks>A call of its own: two of them in one loop, as a slope has, are more than the JIT inlines.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static Lanes256 Pow(Lanes256 x, Lanes256 y) => ElementaryFunctions.Pow(x, y);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 x, Lanes256 y, Lanes256 z) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.MultiplyAddEstimate(x.value, y.value, z.value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref readonly float x, Lanes256 y, ref Lanes256 sum) => AddProduct((Lanes256)x, y, ref sum);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Lanes256 x, Lanes256 y, ref Lanes256 sum) =>
        Unsafe.AsRef(in sum.value) = Vector256.MultiplyAddEstimate(x.value, y.value, sum.value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Round(Lanes256 x) => Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.Round(x.value));

    /// <inheritdoc/>
    /// <remarks>The instructions give their second operand where one is NaN.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Clamp(Lanes256 x, Lanes256 low, Lanes256 high) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.MinNative(high.value, Vector256.MaxNative(low.value, x.value)));

    /// <inheritdoc/>
    /// <remarks>In two steps, since 2ⁿ itself may overflow where the product does not.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Scale(Lanes256 x, Lanes256 n)
    {
        Vector256<int> whole = Vector256.ConvertToInt32Native(n.value);
        Vector256<int> half = whole >> 1;
        Vector256<int> bias = Vector256.Create(127);
        return Unsafe.BitCast<Vector256<float>, Lanes256>(x.value * ((half + bias) << 23).AsSingle() * ((whole - half + bias) << 23).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 n) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(((Vector256.ConvertToInt32Native(n.value) + Vector256.Create(127)) << 23).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SplitNormal(Lanes256 x, out Lanes256 exponent)
    {
        Vector256<int> start = Vector256.Create(0x3F2A_AAAB); // ⅔
        Vector256<int> bits = x.value.AsInt32() - start;
        exponent = Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.ConvertToSingle(bits >> 23));
        return Unsafe.BitCast<Vector256<float>, Lanes256>(((bits & Vector256.Create(0x007F_FFFF)) + start).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Split(Lanes256 x, out Lanes256 exponent)
    {
        Vector256<float> isSmall = Vector256.LessThan(x.value, Vector256.Create(1.17549435e-38f));
        Vector256<float> isNormal = Vector256.AndNot(Vector256.LessThan(x.value, Vector256.Create(float.PositiveInfinity)), isSmall);
        if (Vector256.EqualsAll(isNormal.AsInt32(), Vector256<int>.AllBitsSet))
        {
            return SplitNormal(x, out exponent);
        }

        // A subnormal is scaled by 2²³ first, so that it has the exponent of a normal.
        Vector256<float> scaled = Vector256.ConditionalSelect(isSmall, x.value * Vector256.Create(8388608f), x.value);
        Lanes256 m = SplitNormal(Unsafe.BitCast<Vector256<float>, Lanes256>(scaled), out Lanes256 e);
        Lanes256 ofNotPositive = Less(x, 0f, float.NaN, float.NegativeInfinity);
        exponent = Less(0f, x, Unsafe.BitCast<Vector256<float>, Lanes256>(e.value - (isSmall & Vector256.Create(23f))), ofNotPositive);
        exponent = Less(x, float.PositiveInfinity, exponent, x);
        return m;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 HighHalf(Lanes256 x) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>((x.value.AsInt32() & Vector256.Create(~0x0FFF)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 CopySign(Lanes256 magnitude, Lanes256 sign) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.ConditionalSelect(SignBit, sign.value, magnitude.value));

    /// <inheritdoc/>
    /// <remarks>By the constructor: a cast of what is read from memory, passed to a call, the JIT would copy in halves.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(ref readonly float source, nuint offset) => new(Vector256.LoadUnsafe(in source, offset));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, ref float destination, nuint offset) =>
        value.value.StoreUnsafe(ref destination, offset);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadPartial(ref readonly float source, nuint offset, int count, float padding) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(PartialVector.Read256(in source, offset, count, padding));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Lanes256 value, ref float destination, nuint offset, int count) =>
        PartialVector.Write(value.value, ref destination, offset, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Exchange(Lanes256 x, int distance) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(Vector256.ShuffleNative(x.value, Vector256<int>.Indices ^ Vector256.Create(distance)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Lanes256 x) => x.value.ToScalar();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FirstEqual(Lanes256 x, Lanes256 y) =>
        BitOperations.TrailingZeroCount((Vector256.Equals(x.value, y.value) | ~Vector256.Equals(x.value, x.value)).ExtractMostSignificantBits());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Pair(Lanes256 low, Lanes256 high, int spare) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(((UpperHalf(low, spare) >> 16) | UpperHalf(high, spare)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LowOfPair(Lanes256 pair, int spare)
    {
        Lanes256 moved = Unsafe.BitCast<Vector256<float>, Lanes256>((pair.value.AsUInt32() << 16).AsSingle());
        return spare == 0 ? moved : HighOfPair(moved, spare);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 HighOfPair(Lanes256 pair, int spare) =>
        Unsafe.BitCast<Vector256<float>, Lanes256>(
            ((pair.value.AsInt32() >> spare).AsUInt32() & Vector256.Create(0x8000_0000u | (0x7FFF_0000u >> spare))).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 value) => Vector256.Sum(value.value);

    private static Vector256<float> SignBit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256.Create(-0f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> UpperHalf(Lanes256 x, int spare)
    {
        Vector256<uint> bits = x.value.AsUInt32();
        return (bits & Vector256.Create(0x8000_0000u)) | ((bits << spare) & Vector256.Create(0x7FFF_0000u));
    }
}
