using Minigrad.Backends;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Tests.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Numbers stored in 16 bits on a device. The products of them are cuBLAS's: where it is not there, no product is computed that
/// way, which the tests say.
/// </summary>
public sealed class PairedProductTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Few rows and more weights than 2²³, none of the sizes even.</summary>
    private static readonly MatrixProductShape Shape = new(3, 4099, 2049);

    private GpuBackend Gpu => fixture.Backend;

    [Fact]
    public void Numbers_are_stored_as_the_bits_of_their_format()
    {
        float[] awkward = [-0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0x7F80_0001), 1e-40f, 70000f];
        AssertStored<RoundToHalf>([.. RoundingTests.AllHalvesAndMidpoints, .. awkward], x => BitConverter.HalfToUInt16Bits((Half)x), Half.IsNaN);
        AssertStored<RoundToBFloat16>(
            [.. RoundingTests.AllBFloatsAndMidpoints, .. awkward],
            x => (ushort)(BitConverter.SingleToUInt32Bits(default(RoundToBFloat16).Forward(new Scalar(x)).Value) >> 16),
            x => (BitConverter.HalfToUInt16Bits(x) & 0x7FFF) > 0x7F80);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_product_is_that_of_the_rounded_numbers(bool transposeLeft, bool transposeRight)
    {
        MatrixProductShape shape = Shape with { TransposeLeft = transposeLeft, TransposeRight = transposeRight };
        AssertProduct<RoundToHalf>(shape);
        AssertProduct<RoundToBFloat16>(shape);
    }

    [Fact]
    public void Kept_numbers_follow_the_weights()
    {
        Storage left = Gpu.Allocate(Shape.Rows * Shape.Depth);
        Storage right = Gpu.Allocate(Shape.Depth * Shape.Columns);
        Storage result = Gpu.Allocate(Shape.Rows * Shape.Columns);
        Gpu.Fill(left, 0.5f);
        List<(float Result, long Launches)> seen = [];
        foreach (float weight in (float[])[1f, 1f, 1f, 3f, 3f])
        {
            if (seen.Count is 0 or 3)
            {
                Gpu.Fill(right, weight);
                right.MarkChanged();
            }

            GpuCounters before = Gpu.Counters;
            if (!Gpu.TryRoundedProduct<RoundToHalf, Identity>(Shape, left, right, result, null, default))
            {
                Assert.False(Gpu.PairsNumbers(Shape));
                return;
            }

            seen.Add((0f, (Gpu.Counters - before).Launches));
            seen[^1] = (GpuFixture.Download(result)[^1], seen[^1].Launches);
        }

        // Left, product, and the weights: of the first product for it alone, of the second to be kept, and after a change to be kept at once.
        const float Sum = 0.5f * 2049;
        Assert.Equal([(Sum, 3), (Sum, 3), (Sum, 2), (3 * Sum, 3), (3 * Sum, 2)], seen);
    }

    [Fact]
    public void Numbers_are_kept_from_their_second_use_and_found_only_when_filled()
    {
        GpuStorage storage = (GpuStorage)Gpu.Allocate(5);
        PairedNumbers<RoundToHalf> numbers = storage.Paired<RoundToHalf>();
        Assert.Same(numbers, storage.Paired<RoundToHalf>());
        Assert.Null(numbers.Room(Gpu.Pool, 7));
        Slab room = numbers.Room(Gpu.Pool, 7)!;
        Assert.Null(numbers.Find(7));
        numbers.Keep(room, 7);
        Assert.Same(room, numbers.Find(7));

        // Changed numbers are not those, and take the same room at once.
        Assert.Null(numbers.Find(8));
        Assert.Same(room, numbers.Room(Gpu.Pool, 8));
        Assert.Null(numbers.Find(8));

        // Another format begins anew.
        Assert.Null(storage.Paired<RoundToBFloat16>().Find(7));
        Assert.NotSame(numbers, storage.Paired<RoundToHalf>());
    }

    [Fact]
    public void Short_products_and_other_engines_stay_with_float32()
    {
        Assert.False(Gpu.PairsNumbers(new MatrixProductShape(64, 128, 784)));
        Assert.False(Gpu.PairsNumbers(Shape with { Batch = 2 }));
        Gpu.ProductEngine = MatrixProductEngine.Own;
        bool pairs = Gpu.PairsNumbers(Shape);
        Gpu.ProductEngine = MatrixProductEngine.Automatic;
        Assert.False(pairs);
        Assert.Equal(Gpu.HasCuBlas, Gpu.PairsNumbers(Shape));
    }

    private static float Number(int i, ulong seed)
    {
        Philox.Uniform(seed, 0, (ulong)i, out float u, out _);
        return u - 0.5f;
    }

    private void AssertStored<TRounding>(float[] values, Func<float, ushort> expected, Func<Half, bool> isNaN)
        where TRounding : unmanaged, IRounding
    {
        foreach (int length in (int[])[1, 2, 3, values.Length, values.Length - 1])
        {
            GpuStorage x = (GpuStorage)GpuFixture.Upload(Gpu, values.AsSpan(values.Length - length));
            GpuStorage words = (GpuStorage)Gpu.Allocate((length + 1) / 2);
            Gpu.Pair<TRounding>(x.View, words.View.Cast<int>());
            uint[] found = [.. GpuFixture.Download(words).Select(BitConverter.SingleToUInt32Bits)];
            for (int i = 0; i < length; i++)
            {
                ushort bits = (ushort)(found[i / 2] >> (16 * (i % 2)));
                float value = values[values.Length - length + i];
                Assert.True(
                    float.IsNaN(value) ? isNaN(BitConverter.UInt16BitsToHalf(bits)) : bits == expected(value),
                    $"{value:G9} was stored as {bits:X4}, not as {expected(value):X4}.");
            }

            Assert.True(length % 2 == 0 || found[^1] >> 16 == 0);
        }
    }

    /// <summary>
    /// The products of two numbers of 11 bits are exact in float32. Their sum has one rounding or, on tensor cores, truncation for each
    /// term at most, of what is at most Σ|ab|. Numbers rounded to another format would be off by 2⁻⁹ of it.
    /// </summary>
    private void AssertProduct<TRounding>(MatrixProductShape shape)
        where TRounding : unmanaged, IRounding
    {
        float[] left = [.. Enumerable.Range(0, shape.Rows * shape.Depth).Select(i => Number(i, 1))];
        float[] right = [.. Enumerable.Range(0, shape.Depth * shape.Columns).Select(i => Number(i, 2))];
        Storage result = Gpu.Allocate(shape.Rows * shape.Columns);
        if (!Gpu.TryRoundedProduct<TRounding, Identity>(shape, GpuFixture.Upload(Gpu, left), GpuFixture.Upload(Gpu, right), result, null, default))
        {
            Assert.False(Gpu.HasCuBlas);
            return;
        }

        double[] a = [.. left.Select(x => (double)default(TRounding).Forward(new Scalar(x)).Value)];
        double[] b = [.. right.Select(x => (double)default(TRounding).Forward(new Scalar(x)).Value)];
        float[] found = GpuFixture.Download(result);
        for (int row = 0; row < shape.Rows; row++)
        {
            for (int column = 0; column < shape.Columns; column++)
            {
                (double sum, double magnitudes) = (0, 0);
                for (int k = 0; k < shape.Depth; k++)
                {
                    double term = a[shape.TransposeLeft ? (k * shape.Rows) + row : (row * shape.Depth) + k]
                        * b[shape.TransposeRight ? (column * shape.Depth) + k : (k * shape.Columns) + column];
                    sum += term;
                    magnitudes += Math.Abs(term);
                }

                Assert.Equal(sum, found[(row * shape.Columns) + column], shape.Depth * Math.Pow(2, -23) * magnitudes);
            }
        }
    }
}
