using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>Products with a kept, rounded right operand, held to the bit against products with a rounded copy of it in float32.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class RoundedProductTests
{
    private static readonly CpuBackend Cpu = CpuBackend.Instance;

    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[1, 5], Gen.Int[6, 40], Gen.OneOfConst(31, 32, 33, 63, 64, 65, 95, 96, 97, 130));

    private static readonly Gen<MatrixProductShape> Shapes =
        from rows in Size
        from columns in Size
        from depth in Gen.Frequency((9, Size), (1, Gen.OneOfConst(0, 511, 512, 513, 1030, 2049, 4097, 8200)))
        from flags in Gen.Int[0, 3]
        select new MatrixProductShape(rows, columns + 1, depth) { TransposeLeft = (flags & 1) != 0, TransposeRight = (flags & 2) != 0 };

    /// <summary>What rounding and packing could get wrong: ties, subnormals, overflow, signs of 0, and NaN with lower bits only.</summary>
    private static readonly float[] Awkward =
    [
        0f, -0f, 1e-40f, -1e-45f, 6e-8f, 65519f, 65520f, -70000f, 3.4e38f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity,
        float.NaN,

        // By a delegate: as a constant the compiler would make a quiet NaN of the first one.
        .. ((uint[])[0x7F80_0001, 0x3F80_8000, 0x3F81_8000]).Select(BitConverter.UInt32BitsToSingle),
    ];

    public static TheoryData<Precision> Halves => [Precision.Half, Precision.BFloat16];

    /// <summary>
    /// What pairs of IEEE halves could get wrong and have room for: signs of 0, subnormals (down to 2⁻²⁴, and what is rounded to it
    /// or to 0), ties, the least normal number, and the largest that has room.
    /// </summary>
    private static readonly float[] WithRoom =
    [
        0f, -0f, 1e-40f, 2.9802322e-8f, 2.9802326e-8f, -5.9604645e-8f, 8.9406967e-8f, 6.0975552e-5f, -6.1035156e-5f, 6.1005354e-5f,
        1.00048828125f, -1.00146484375f, 64f, 127.9375f, -127.9375f,
    ];

    /// <summary>Left operands as a scope of IEEE half makes them.</summary>
    private static readonly float[] LeftHalves =
    [
        0f, -0f, 5.9604645e-8f, -6.0975552e-5f, 65504f, -65504f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    [Fact]
    public void Any_shape_agrees_with_a_rounded_copy_to_the_bit() =>
        Shapes.Sample(shape => Agrees<RoundToHalf>(shape, [], []) && Agrees<RoundToBFloat16>(shape, [], []), iter: 200);

    [Fact]
    public void Awkward_numbers_agree_as_well() =>
        Shapes.Sample(shape => Agrees<RoundToHalf>(shape, Awkward, []) && Agrees<RoundToBFloat16>(shape, Awkward, []), iter: 100);

    [Fact]
    public void Any_shape_agrees_in_pairs_of_ieee_halves() =>
        Shapes.Sample(shape => Agrees<RoundToHalf>(shape, WithRoom, [], isPaired: true), iter: 200);

    [Fact]
    public void Awkward_left_numbers_agree_in_pairs_of_ieee_halves() =>
        Shapes.Sample(shape => Agrees<RoundToHalf>(shape, WithRoom, LeftHalves, isPaired: true), iter: 100);

    /// <summary>Each of the 22,528 magnitudes that have room, with either sign, by what a row of 1 and of 65504 makes of it.</summary>
    [Fact]
    public void Every_half_with_room_is_kept_exactly()
    {
        float[] halves = [.. Enumerable.Range(0, 65536).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits)).Where(x => Math.Abs(x) < 128)];
        Assert.Equal(2 * 22528, halves.Length);
        Tensor right = Tensor.Of(halves);
        ((CpuStorage)right.Storage).PackedRounded<RoundToHalf>().IsPaired = true;
        MatrixProductShape shape = new(2, halves.Length, 1);
        Tensor result = Tensor.Zeros(2, halves.Length);
        for (int call = 0; call < 2; call++)
        {
            Cpu.TryRoundedProduct<RoundToHalf, Identity>(shape, Tensor.Of([1f, 65504f]).Storage, right.Storage, result.Storage, null, default);
        }

        float[] sums = [.. halves.Select(x => x + 0f), .. halves.Select(x => (65504f * x) + 0f)]; // a sum begins at 0, which −0 does not change
        Assert.Equal(sums.Select(BitConverter.SingleToUInt32Bits), result.ToArray().Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Bfloat16_is_kept_in_half_the_room()
    {
        MatrixProductShape shape = new(3, 70, 50) { TransposeRight = true };
        int strip = 2 * CpuBackend.VectorWidth / 32;
        int whole = (70 + strip - 1) / strip * strip * 50;
        Assert.Equal(whole, KeptLength<RoundToHalf>(shape));
        Assert.Equal(whole / 2, KeptLength<RoundToBFloat16>(shape));
    }

    [Theory]
    [InlineData(1, 1024, 512, 1f, true)]
    [InlineData(1, 1024, 511, 1f, false)]
    [InlineData(2, 1024, 512, 1f, false)]
    [InlineData(8, 2048, 2048, 1f, true)]
    [InlineData(9, 2048, 2368, 1f, false)]
    [InlineData(1, 1024, 512, 127.9375f, true)]
    [InlineData(1, 1024, 512, -128f, false)]
    [InlineData(1, 1024, 512, float.NegativeInfinity, false)]
    [InlineData(1, 1024, 512, float.NaN, false)]
    public void Ieee_half_is_kept_in_half_the_room_where_few_rows_meet_many_weights_with_room(
        int rows, int columns, int depth, float last, bool isPaired) =>
        Assert.Equal(columns * depth / (isPaired ? 2 : 1), KeptLength<RoundToHalf>(new(rows, columns, depth) { TransposeRight = true }, last));

    /// <summary>What the first kept product settles holds for others with the same weights, and ends when they change.</summary>
    [Fact]
    public void Products_of_other_rows_and_changed_weights_agree_in_either_form()
    {
        Generator generator = new(5);
        Tensor weight = Tensor.Normal([1024, 512], generator: generator);
        foreach (int[] order in (int[][])[[1, 12, 1, 3], [12, 1, 12, 3]])
        {
            foreach (int rows in order)
            {
                Tensor x = Tensor.Normal([rows, 512], generator: generator);
                Assert.Equal(Product(x, weight.Clone(), Precision.Half), Product(x, weight, Precision.Half));
            }

            weight.Assign(weight * 40f);
        }
    }

    /// <summary>Two threads may both find it open. What one has settled and kept is not read as the other's form.</summary>
    [Fact]
    public void What_is_settled_holds_until_the_numbers_change()
    {
        CpuStorage weights = new(Cpu, new float[4], 4);
        RoundedOperand<RoundToHalf> kept = weights.PackedRounded<RoundToHalf>();
        foreach (bool first in new[] { false, true, false })
        {
            Assert.Null(kept.IsPaired);
            kept.IsPaired = first;
            kept.IsPaired = !first;
            Assert.Equal(first, kept.IsPaired);
            weights.MarkChanged();
        }
    }

    [Fact]
    public void What_is_not_kept_is_not_computed()
    {
        MatrixProductShape shape = new(4, 5, 6);
        Storage left = Tensor.Ones(2, 4, 6).Storage, right = Tensor.Ones(2, 6, 5).Storage, result = Tensor.Full([2, 4, 5], -7f).Storage;
        bool Try(MatrixProductShape product) => Cpu.TryRoundedProduct<RoundToBFloat16, Identity>(product, left, right, result, null, default);
        Assert.False(Try(shape));
        Assert.False(Try(shape with { TransposeRight = true }));
        Assert.False(Try(shape with { Batch = 2 }));
        Assert.False(Try(shape with { Columns = 1 }));
        right.MarkChanged();
        Assert.False(Try(shape));
        Assert.All(Numbers(result), value => Assert.Equal(-7f, value));
        Assert.True(Try(shape));
        Assert.All(Numbers(result).Take(20), value => Assert.Equal(6f, value));
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void A_change_of_the_numbers_or_of_the_format_is_seen(Precision precision)
    {
        Precision other = precision == Precision.Half ? Precision.BFloat16 : Precision.Half;
        Tensor x = Tensor.Normal([3, 40], generator: new Generator(1));
        Tensor weight = Tensor.Normal([50, 40], generator: new Generator(2));
        for (int version = 0; version < 3; version++)
        {
            foreach (Precision format in new[] { precision, precision, precision, other, Precision.Full, precision, other, other, Precision.Full, precision })
            {
                Assert.Equal(Product(x, weight.Clone(), format), Product(x, weight, format));
            }

            weight.Assign(weight * 1.1f);
        }
    }

    /// <summary>The first call rounds and keeps nothing, the second keeps, the third finds what is kept.</summary>
    [Theory]
    [MemberData(nameof(Halves))]
    public void A_model_gives_the_same_bits_at_every_call(Precision precision)
    {
        Generator generator = new(3);
        Lstm lstm = new(6, 20, new RecurrentOptions { Generator = generator });
        Sequential head = new(new Linear(20, 33, generator: generator), new Tanh(), new Linear(33, 7, generator: generator));
        Tensor x = Tensor.Normal([2, 5, 6], generator: generator);
        using NoGrad scope = new();
        using EmulatedPrecision emulated = new(precision);
        float[] first = head.Forward(lstm.Forward(x)).ToArray();
        for (int call = 0; call < 3; call++)
        {
            Assert.Equal(first, head.Forward(lstm.Forward(x)).ToArray());
        }
    }

    private static bool Agrees<TRounding>(MatrixProductShape shape, float[] awkward, float[] awkwardLeft, bool isPaired = false)
        where TRounding : unmanaged, IRounding
    {
        Generator generator = new(4);
        Tensor left = Sprinkled(shape.Rows * shape.Depth, awkwardLeft, generator);
        Tensor right = Sprinkled(shape.Depth * shape.Columns, awkward, generator);
        if (isPaired)
        {
            ((CpuStorage)right.Storage).PackedRounded<TRounding>().IsPaired = true;
        }

        Storage? bias = shape.Rows % 2 == 0 ? Tensor.Normal([shape.Columns], generator: generator).Storage : null;
        Tensor expected = Tensor.Zeros(shape.Rows, shape.Columns);
        Cpu.MatrixProduct(shape, left.Storage, right.Map(default(TRounding)).Storage, expected.Storage, bias, default(HyperbolicTangent));
        bool isSame = true;
        for (int call = 0; call < 3; call++)
        {
            Tensor actual = Tensor.Zeros(shape.Rows, shape.Columns);
            bool isKept = Cpu.TryRoundedProduct<TRounding, HyperbolicTangent>(shape, left.Storage, right.Storage, actual.Storage, bias, default);
            isSame &= isKept == (call > 0) && (!isKept || expected.ToArray().Zip(actual.ToArray()).All(pair => IsSame(pair.First, pair.Second)));
        }

        return isSame;
    }

    private static Tensor Sprinkled(int length, float[] awkward, Generator generator)
    {
        float[] numbers = Tensor.Normal([length], generator: generator).ToArray();
        for (int i = 0; i < awkward.Length * 3 && length > 0; i++)
        {
            numbers[generator.Next(length)] = awkward[i % awkward.Length];
        }

        return Tensor.Of(numbers);
    }

    private static int KeptLength<TRounding>(MatrixProductShape shape, float last = 1)
        where TRounding : unmanaged, IRounding
    {
        float[] numbers = new float[shape.Columns * shape.Depth];
        numbers[^1] = last;
        Tensor left = Tensor.Ones(shape.Rows, shape.Depth), right = Tensor.Of(numbers);
        Tensor result = Tensor.Zeros(shape.Rows, shape.Columns);
        for (int call = 0; call < 2; call++)
        {
            Cpu.TryRoundedProduct<TRounding, Identity>(shape, left.Storage, right.Storage, result.Storage, null, default);
        }

        return ((CpuStorage)right.Storage).PackedRounded<TRounding>().Find(shape, 0)!.Length;
    }

    private static float[] Product(Tensor x, Tensor weight, Precision precision)
    {
        using EmulatedPrecision scope = new(precision);
        return x.MatMul(weight, transposeRight: true).ToArray();
    }

    private static float[] Numbers(Storage storage)
    {
        float[] numbers = new float[storage.Length];
        Cpu.Download(storage, numbers);
        return numbers;
    }

    private static bool IsSame(float a, float b) =>
        float.IsNaN(a) ? float.IsNaN(b) : BitConverter.SingleToUInt32Bits(a) == BitConverter.SingleToUInt32Bits(b);
}
