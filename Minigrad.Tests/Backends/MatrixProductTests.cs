using System.Runtime.Intrinsics.X86;
using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>
/// The tiled product held against three plain loops, to the bit: whatever the path, an element is made of the same chains of multiply-adds.
/// </summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class MatrixProductTests
{
    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[0, 5], Gen.Int[6, 40], Gen.OneOfConst(31, 32, 33, 63, 64, 65, 95, 96, 97, 130));

    /// <summary>A depth past where the strips of a block are cut, and past what is packed at once.</summary>
    private static readonly Gen<int> Depth = Gen.Frequency((9, Size), (1, Gen.OneOfConst(511, 512, 513, 1030, 2047, 2048, 2049, 2600)));

    /// <summary>Rows of few blocks and of many.</summary>
    private static readonly Gen<int> Rows = Gen.Frequency((19, Size), (1, Gen.OneOfConst(191, 192, 193, 1921)));

    private static readonly Gen<MatrixProductShape> Few =
        from rows in Rows
        from columns in Size
        from depth in Depth
        from batch in Gen.Int[0, 3]
        from flags in Gen.Int[0, 15]
        select ShapeOf(rows, columns, depth, batch, flags);

    /// <summary>Small ones, about as many as are computed side by side, and many more.</summary>
    private static readonly Gen<MatrixProductShape> Many =
        from rows in Gen.Int[1, 9]
        from columns in Gen.Int[1, 9]
        from depth in Gen.Int[1, 9]
        from batch in Gen.Frequency((3, Gen.Int[6, 35]), (1, Gen.Int[36, 300]))
        from flags in Gen.Frequency((3, Gen.Int[0, 3]), (1, Gen.Int[4, 15]))
        select ShapeOf(rows, columns, depth, batch, flags);

    private static readonly Gen<MatrixProductShape> Shapes = Gen.Frequency((3, Few), (1, Many));

    [Fact]
    public void Any_shape_agrees_with_plain_loops_to_the_bit() => Shapes.Sample(
        shape =>
        {
            (float[] left, float[] right) = Operands(shape);
            int length = shape.Batch * shape.Rows * shape.Columns;
            float[] result = [.. Enumerable.Repeat(-7f, length + 5)];
            float[]? bias = shape.Rows % 2 == 0 ? Tensor.Normal([shape.Columns], generator: new Generator(6)).ToArray() : null;
            Run(new Workers(), shape, left, right, result, bias);
            return result.AsSpan(0, length).SequenceEqual(Reference(shape, left, right, bias))
                && result.Skip(length).All(guard => guard == -7f);
        },
        iter: 500);

    /// <summary>
    /// Rows at and past which a block is all strips, columns at and past which no longer, and rows of whole pages, each with depths at and
    /// past where a block is cut; rows and columns at and past which columns are computed one by one; numbers at and past which
    /// all rows are no longer one block, and a right operand no longer each thread's own, and a depth whose last part is; one row, with
    /// columns at and past a vector, a few strips and a part for a thread, and depths that are no multiple of what is read side by side.
    /// </summary>
    [Theory]
    [InlineData(336, 33, 513)]
    [InlineData(337, 33, 513)]
    [InlineData(385, 255, 40)]
    [InlineData(400, 256, 1030)]
    [InlineData(1921, 257, 7)]
    [InlineData(2000, 65, 12)]
    [InlineData(1024, 10, 512)]
    [InlineData(1024, 10, 513)]
    [InlineData(1024, 64, 600)]
    [InlineData(23, 33, 40)]
    [InlineData(24, 35, 1030)]
    [InlineData(35, 36, 40)]
    [InlineData(36, 36, 1030)]
    [InlineData(25, 37, 40)]
    [InlineData(59, 2, 513)]
    [InlineData(96, 4, 1)]
    [InlineData(7, 40, 33)]
    [InlineData(8, 40, 1)]
    [InlineData(9, 64, 513)]
    [InlineData(10, 40, 2)]
    [InlineData(14, 2, 40)]
    [InlineData(15, 34, 7)]
    [InlineData(20, 33, 33)]
    [InlineData(21, 70, 514)]
    [InlineData(337, 65, 1100)]
    [InlineData(128, 512, 1030)]
    [InlineData(129, 520, 1030)]
    [InlineData(192, 481, 40)]
    [InlineData(193, 481, 40)]
    [InlineData(192, 480, 40)]
    [InlineData(200, 512, 256)]
    [InlineData(200, 513, 256)]
    [InlineData(100, 256, 1100)]
    [InlineData(1, 32, 4)]
    [InlineData(1, 33, 1)]
    [InlineData(1, 64, 1030)]
    [InlineData(1, 65, 7)]
    [InlineData(1, 96, 513)]
    [InlineData(1, 1023, 5)]
    [InlineData(1, 1025, 6)]
    [InlineData(1, 2111, 1030)]
    [InlineData(1, 20_000, 3)]
    [InlineData(1, 40, 4096)]
    [InlineData(1, 33, 4097)]
    [InlineData(1, 40, 8193)]
    [InlineData(1, 64, 12_300)]
    [InlineData(1, 7, 8200)]
    [InlineData(5, 1, 8193)]
    [InlineData(2, 3, 4100)]
    [InlineData(13, 65, 4097)]
    [InlineData(100, 2, 8193)]
    [InlineData(110, 40, 9001)]
    [InlineData(340, 33, 4609)]
    public void Each_way_to_pack_agrees_with_plain_loops_to_the_bit(int rows, int columns, int depth)
    {
        for (int flags = 0; flags < 4; flags++)
        {
            MatrixProductShape shape = new(rows, columns, depth) { TransposeLeft = (flags & 1) != 0, TransposeRight = (flags & 2) != 0, Batch = 2, SharedLeft = true };
            (float[] left, float[] right) = Operands(shape);
            float[] bias = Tensor.Normal([columns], generator: new Generator(6)).ToArray();
            float[] result = [.. Enumerable.Repeat(-7f, (2 * rows * columns) + 5)];
            Run(new Workers(), shape, left, right, result, bias);
            Assert.Equal(Reference(shape, left, right, bias), result.AsSpan(0, 2 * rows * columns).ToArray());
            Assert.All(result[(2 * rows * columns)..], guard => Assert.Equal(-7f, guard));
        }
    }

    /// <summary>One chain of multiply-adds would be off by a share of 0.006 to 0.05.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 32)]
    [InlineData(2, 3)]
    public void A_deep_product_is_as_near_as_a_sum(int rows, int columns)
    {
        int depth = 20_000_000 / Math.Max(rows, columns);
        Tensor tenths = Tensor.Full([rows, depth], 0.1f).MatMul(Tensor.Ones(depth, columns));
        Assert.All(tenths.ToArray(), value => Assert.Equal(1, value / (depth * (double)0.1f), 1e-4));
    }

    /// <summary>From the second product on the right operand is kept packed, whole.</summary>
    [Theory]
    [InlineData(1, 40)]
    [InlineData(13, 33)]
    [InlineData(350, 33)]
    public void A_deep_operand_that_comes_again_gives_the_same_bits(int rows, int columns)
    {
        Generator generator = new(3);
        Tensor x = Tensor.Normal([rows, 8300], generator: generator);
        Tensor weight = Tensor.Normal([columns, 8300], generator: generator);
        float[] first = x.MatMul(weight.Transpose()).ToArray();
        for (int again = 0; again < 3; again++)
        {
            Assert.Equal(first, x.Linear(weight).ToArray());
        }
    }

    [Fact]
    public void Twenty_million_ones_are_added()
    {
        Tensor ones = Tensor.Ones(20_000_000);
        Assert.Equal(20_000_000f, ones.MatMul(ones).Item());
    }

    [Fact]
    public void An_activation_of_the_finished_sums_is_the_same_as_one_after_the_product() => Shapes.Sample(
        shape => shape.Columns % 2 == 0 ? IsSameAsAfterwards(shape, default(HyperbolicTangent)) : IsSameAsAfterwards(shape, default(Rectifier)),
        iter: 100);

    [Fact]
    public void What_was_packed_for_one_product_is_not_taken_for_another()
    {
        // The same arrays with other numbers each time, on two user's threads, which share the workers' threads by turns.
        void Products(ulong seed)
        {
            Generator generator = new(seed);
            MatrixProductShape[] shapes = [new(100, 70, 60), new(100, 70, 60) { TransposeRight = true }, new(60, 600, 50), new(13, 70, 60) { TransposeLeft = true }];
            float[] left = new float[6000];
            float[] right = new float[30_000];
            for (int i = 0; i < 60; i++)
            {
                MatrixProductShape shape = shapes[i % 7 % shapes.Length];
                Tensor.Normal([left.Length], generator: generator).ToArray().CopyTo(left, 0);
                Tensor.Normal([right.Length], generator: generator).ToArray().CopyTo(right, 0);
                float[] result = new float[shape.Rows * shape.Columns];
                Run(new Workers { ThreadCount = 3 }, shape, left, right, result);
                Assert.Equal(Reference(shape, left, right, null), result);
            }
        }

        Parallel.Invoke(() => Products(1), () => Products(2));
    }

    [Fact]
    public void No_two_products_have_the_same_number()
    {
        // More than a thread takes at once.
        long[] numbers = new long[3 * 1_100_000];
        Parallel.For(0, 3, thread =>
        {
            for (int i = 0; i < numbers.Length / 3; i++)
            {
                numbers[(thread * numbers.Length / 3) + i] = OwnPacking.NextProduct();
            }
        });
        Array.Sort(numbers);
        Assert.True(numbers[0] > 0);
        Assert.All(Enumerable.Range(1, numbers.Length - 1).Where(i => numbers[i] == numbers[i - 1]), i => Assert.Fail($"{numbers[i]} was given twice."));
    }

    [Fact]
    public void A_row_is_the_same_in_every_batch()
    {
        MatrixProductShape shape = new(300, 70, 90) { TransposeRight = true };
        (float[] left, float[] right) = Operands(shape);
        float[] all = new float[300 * 70];
        Run(new Workers(), shape, left, right, all);
        foreach (int rows in new[] { 1, 2, 5, 11, 12, 13, 97 })
        {
            float[] some = new float[rows * 70];
            Run(new Workers(), shape with { Rows = rows }, left.AsSpan(100 * 90, rows * 90).ToArray(), right, some);
            Assert.Equal(all.AsSpan(100 * 70, rows * 70).ToArray(), some);
        }
    }

    [Fact]
    public void A_right_operand_that_is_kept_packed_is_packed_again_once_it_changes()
    {
        Tensor x = Tensor.Normal([20, 40], generator: new Generator(1));
        Tensor weight = Tensor.Normal([50, 40], generator: new Generator(2));
        Tensor other = Tensor.Normal([50, 40], generator: new Generator(3));
        float[] first = x.MatMul(weight, transposeRight: true).ToArray();
        float[] back = x.MatMul(weight.Reshape(40, 50)).ToArray();
        for (int i = 0; i < 4; i++)
        {
            // The third product of a kind finds what the second kept, also with those of another kind between.
            Assert.Equal(first, x.MatMul(weight, transposeRight: true).ToArray());
            Assert.Equal(back, x.MatMul(weight.Reshape(40, 50)).ToArray());
            Assert.Equal(first.AsSpan(0, 50).ToArray(), x[..1].MatMul(weight, transposeRight: true).ToArray());
        }

        weight.Assign(other);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(x.MatMul(other.Clone(), transposeRight: true).ToArray(), x.MatMul(weight, transposeRight: true).ToArray());
            Assert.Equal(x.MatMul(other.Clone().Reshape(40, 50)).ToArray(), x.MatMul(weight.Reshape(40, 50)).ToArray());
        }
    }

    [Theory]
    [InlineData(5, 64, 300, false)]
    [InlineData(20, 70, 600, false)]
    [InlineData(5, 64, 300, true)]
    [InlineData(33, 31, 40, true)]
    [InlineData(1, 64, 30, true)]
    [InlineData(1, 300, 600, true)]
    [InlineData(1, 5, 30, false)]
    public void A_right_operand_that_is_packed_beforehand_is_read_packed(int rows, int columns, int depth, bool isTransposed)
    {
        MatrixProductShape shape = new(rows, columns, depth) { TransposeRight = isTransposed };
        (float[] left, float[] right) = Operands(shape);
        float[] expected = new float[rows * columns];
        Run(new Workers(), shape, left, right, expected);
        CpuStorage storage = new(CpuBackend.Instance, right, right.Length);
        MatrixProduct.KeepPacked(new Workers(), shape, right, storage.Packed);

        // A change that the storage is not told of, so that only the packed numbers are right.
        Array.Fill(right, float.NaN);
        float[] found = new float[expected.Length];
        MatrixProduct.Run(new Workers(), shape, left, right, found, default(Epilogue<Identity>), storage.Packed);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void What_one_row_reads_as_it_lies_is_not_packed_beforehand()
    {
        MatrixProductShape shape = new(1, 64, 30);
        float[] right = Operands(shape).Right;
        CpuStorage storage = new(CpuBackend.Instance, right, right.Length);
        MatrixProduct.KeepPacked(new Workers(), shape, right, storage.Packed);
        Assert.Null(storage.Packed.Find(shape, 0));
        MatrixProduct.KeepPacked(new Workers(), shape with { Rows = 2 }, right, storage.Packed);
        Assert.NotNull(storage.Packed.Find(shape, 0));
    }

    [Theory]
    [InlineData(230, 170, 90)]
    [InlineData(1, 700, 600)]
    [InlineData(460, 170, 600)]
    [InlineData(3, 3, 3, 5000)]
    public void The_bits_do_not_depend_on_the_number_of_threads(int rows, int columns, int depth, int batch = 2)
    {
        MatrixProductShape shape = new(rows, columns, depth) { TransposeRight = true, Batch = batch };
        (float[] left, float[] right) = Operands(shape);
        float[] Product(int threads)
        {
            float[] result = new float[batch * rows * columns];
            Run(new Workers { ThreadCount = threads }, shape, left, right, result);
            return result;
        }

        Assert.Equal(Product(1), Product(2));
        Assert.Equal(Product(1), Product(4));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1)]
    public void NaN_and_infinity_are_not_skipped_and_stay_in_their_places(int rows)
    {
        MatrixProductShape shape = new(rows, 33, 3);
        float[] left = new float[rows * 3];
        float[] right = [.. Enumerable.Repeat(1f, 99)];
        right[40] = float.NaN; // Row 1, column 7.
        right[10] = float.PositiveInfinity; // Row 0, column 10.
        float[] result = new float[rows * 33];
        Run(new Workers(), shape, left, right, result);
        for (int i = 0; i < result.Length; i++)
        {
            Assert.Equal(i % 33 is 7 or 10, float.IsNaN(result[i]));
        }
    }

    [Fact]
    public void A_row_with_NaN_does_not_reach_the_rows_whose_lanes_read_it_in_a_column_of_its_own()
    {
        MatrixProductShape shape = new(30, 33, 5);
        float[] left = [.. Enumerable.Repeat(1f, 30 * 5)];
        left.AsSpan(12 * 5, 5).Fill(float.NaN); // The first row of the second tile.
        left[4] = float.NaN; // The last step of the first row.
        float[] right = [.. Enumerable.Repeat(1f, 33 * 5)];
        float[] result = new float[30 * 33];
        Run(new Workers(), shape, left, right, result);
        for (int i = 0; i < result.Length; i++)
        {
            Assert.Equal(i / 33 is 0 or 12 ? float.NaN : 5f, result[i]);
        }
    }

    [Fact]
    public void A_small_product_with_NaN_does_not_reach_those_beside_it()
    {
        MatrixProductShape shape = new(3, 2, 4) { Batch = 21 };
        float[] left = [.. Enumerable.Repeat(1f, 21 * 12)];
        left[(5 * 12) + 11] = float.NaN; // The last number of product 5.
        left[20 * 12] = float.NaN; // The first of the last product.
        float[] right = [.. Enumerable.Repeat(1f, 21 * 8)];
        float[] result = new float[21 * 6];
        Run(new Workers(), shape, left, right, result);
        for (int i = 0; i < result.Length; i++)
        {
            bool isNaN = (i / 6) switch { 5 => i % 6 >= 4, 20 => i % 6 < 2, _ => false };
            Assert.Equal(isNaN ? float.NaN : 4f, result[i]);
        }
    }

    /// <summary>A shape, with a bit for each flag.</summary>
    private static MatrixProductShape ShapeOf(int rows, int columns, int depth, int batch, int flags) => new(rows, columns, depth)
    {
        Batch = batch,
        TransposeLeft = (flags & 1) != 0,
        TransposeRight = (flags & 2) != 0,
        SharedLeft = (flags & 4) != 0,
        SharedRight = (flags & 8) != 0,
    };

    private static bool IsSameAsAfterwards<TActivation>(MatrixProductShape shape, TActivation activation)
        where TActivation : unmanaged, IUnaryOp
    {
        (float[] left, float[] right) = Operands(shape);
        int length = shape.Batch * shape.Rows * shape.Columns;
        float[]? bias = shape.Rows % 2 == 0 ? Tensor.Normal([shape.Columns], generator: new Generator(6)).ToArray() : null;
        float[] result = [.. Enumerable.Repeat(-7f, length + 5)];
        MatrixProduct.Run(new Workers(), shape, left, right, result, new Epilogue<TActivation>(bias, activation));
        float[] sums = Reference(shape, left, right, bias);
        return result.AsSpan(0, length).SequenceEqual(Tensor.Of(sums).Map(activation).ToArray())
            && result.Skip(length).All(guard => guard == -7f);
    }

    private static void Run(
        Workers workers, MatrixProductShape shape, float[] left, float[] right, float[] result, float[]? bias = null) =>
        MatrixProduct.Run(workers, shape, left, right, result, new Epilogue<Identity>(bias, default));

    private static (float[] Left, float[] Right) Operands(MatrixProductShape shape)
    {
        Generator generator = new(5);
        int left = (shape.SharedLeft ? 1 : shape.Batch) * shape.Rows * shape.Depth;
        int right = (shape.SharedRight ? 1 : shape.Batch) * shape.Columns * shape.Depth;
        return (Tensor.Normal([left], generator: generator).ToArray(), Tensor.Normal([right], generator: generator).ToArray());
    }

    private static float[] Reference(MatrixProductShape shape, float[] left, float[] right, float[]? bias)
    {
        float[] result = new float[shape.Batch * shape.Rows * shape.Columns];
        for (int b = 0; b < shape.Batch; b++)
        {
            int leftStart = shape.SharedLeft ? 0 : b * shape.Rows * shape.Depth;
            int rightStart = shape.SharedRight ? 0 : b * shape.Depth * shape.Columns;
            for (int i = 0; i < shape.Rows; i++)
            {
                for (int j = 0; j < shape.Columns; j++)
                {
                    float sum = 0f;
                    float chains = 0f;
                    for (int k = 0; k < shape.Depth; k++)
                    {
                        if (k > 0 && k % MatrixProductPlan.LongestChain == 0)
                        {
                            chains = k == MatrixProductPlan.LongestChain ? sum : chains + sum;
                            sum = 0f;
                        }

                        float x = left[leftStart + (shape.TransposeLeft ? (k * shape.Rows) + i : (i * shape.Depth) + k)];
                        float y = right[rightStart + (shape.TransposeRight ? (j * shape.Depth) + k : (k * shape.Columns) + j)];
                        sum = Fma.IsSupported ? MathF.FusedMultiplyAdd(x, y, sum) : (x * y) + sum;
                    }

                    sum = shape.Depth > MatrixProductPlan.LongestChain ? chains + sum : sum;
                    result[(((b * shape.Rows) + i) * shape.Columns) + j] = sum + (bias?[j] ?? 0f);
                }
            }
        }

        return result;
    }
}
