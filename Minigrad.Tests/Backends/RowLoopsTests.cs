using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>Reductions, places of the largest number, and softmax, held against plain loops.</summary>
public sealed class RowLoopsTests
{
    /// <summary>Around the widths of vectors, and around the blocks that the loops cut.</summary>
    private static readonly Gen<int> Length = Gen.Frequency(
        (6, Gen.Int[1, 70]), (2, Gen.OneOfConst(127, 128, 387, 1000)), (1, Gen.OneOfConst(1023, 1024, 1025, 2050, 4095, 4096, 4097, 9000)));

    private static readonly Gen<AxisLayout> Layouts =
        (from outer in Gen.Frequency((3, Gen.Int[1, 5]), (2, Gen.Int[6, 40]))
         from axis in Length
         from inner in Gen.Frequency((1, Gen.Const(1)), (1, Length))
         select new AxisLayout(outer, axis, inner)).Where(layout => (long)layout.Outer * layout.Axis * layout.Inner < 600_000); // Its length may overflow.

    /// <summary>Rows too short to fill vectors, about as many as are taken together, and many more.</summary>
    private static readonly Gen<AxisLayout> ShortRows =
        from outer in Gen.Int[1, 4]
        from axis in Gen.Frequency((3, Gen.Int[120, 150]), (1, Gen.Int[151, 1200]), (1, Gen.OneOfConst(2048, 9000)))
        from inner in Gen.Int[2, 34]
        select new AxisLayout(outer, axis, inner);

    private static readonly Gen<(int Rows, int Columns)> Matrices =
        Gen.Select(Gen.Int[1, 40], Length).Where((rows, columns) => rows * columns < 100_000);

    [Fact]
    public void Reductions_agree_with_plain_loops() => Gen.Frequency((2, Layouts), (1, ShortRows)).Sample(
        layout =>
        {
            float[] x = Numbers(layout.Length, isCoarse: false);
            float[] sums = new float[layout.Outer * layout.Inner];
            float[] largest = new float[sums.Length];
            float[] smallest = new float[sums.Length];
            float[] squares = new float[sums.Length];
            ReductionLoops.Reduce(new Workers(), default(Sum), x, layout, sums);
            ReductionLoops.Reduce(new Workers(), default(SumOfSquares), x, layout, squares);
            ReductionLoops.Reduce(new Workers(), default(Largest), x, layout, largest);
            ReductionLoops.Reduce(new Workers(), default(Smallest), x, layout, smallest);
            for (int output = 0; output < sums.Length; output++)
            {
                float[] numbers = [.. Along(layout, output).Select(place => x[place])];
                Assert.Equal(numbers.Max(), largest[output]);
                Assert.Equal(numbers.Min(), smallest[output]);
                double error = Math.Abs(numbers.Sum(number => (double)number) - sums[output]);
                Assert.True(error <= 1e-6 * numbers.Sum(number => Math.Abs((double)number)), $"{layout}, output {output}: off by {error}");
                double square = numbers.Sum(number => (double)number * number);
                Assert.True(Math.Abs(square - squares[output]) <= 1e-6 * square, $"{layout}, output {output}: {squares[output]} is not {square}");
            }
        },
        iter: 200);

    [Fact]
    public void Sums_of_columns_are_added_in_an_order_that_no_width_of_vectors_changes() => ShortRows.Sample(
        layout =>
        {
            float[] x = Numbers(layout.Length, isCoarse: false);
            float[] sums = new float[layout.Outer * layout.Inner];
            ReductionLoops.Reduce(new Workers(), default(Sum), x, layout, sums);
            for (int output = 0; output < sums.Length; output++)
            {
                float[] numbers = [.. Along(layout, output).Select(place => x[place])];
                Assert.Equal(layout is { Axis: >= 128, Inner: < 32 } ? SumOfShortRows(numbers) : SumOfBlocks(numbers), sums[output]);
            }
        },
        iter: 60);

    [Fact]
    public void Long_sums_keep_their_precision()
    {
        // Of equal numbers all roundings of a sum go the same way for a while, so its error is as large as it can be: that of one block, which is
        // 4.1e-6 where a vector has four lanes. Blocks added one after the other are off by 2.3e-5, rows by 9.5e-6 and 5.6e-5.
        const double Precision = 5e-6;
        double tenth = 0.1f;
        AssertNear(10_000_000 * tenth, Tensor.Full([10_000_000], 0.1f).Sum());
        AssertNear(1_000_000 * tenth, Tensor.Full([1_000_000, 3], 0.1f).Sum([0]));
        AssertNear(500_000 * tenth, Tensor.Full([500_000, 40], 0.1f).Sum([0]));

        static void AssertNear(double exact, Tensor sums) =>
            Assert.All(sums.ToArray(), sum => Assert.InRange(sum, exact * (1 - Precision), exact * (1 + Precision)));
    }

    [Fact]
    public void The_first_of_the_largest_is_found_and_NaN_counts_as_larger() => Gen.Select(Layouts, Gen.Int[0, 3]).Sample(
        (layout, notNumbers) =>
        {
            float[] x = Numbers(layout.Length, isCoarse: true);
            for (int i = 0; i < notNumbers; i++)
            {
                x[(int)((long)x.Length * (i + 1) / 5)] = float.NaN;
            }

            foreach (float sign in new[] { 1f, -1f })
            {
                int[] found = new int[layout.Outer * layout.Inner];
                ArgMaxLoops.Find(new Workers(), x, layout, sign, found);
                for (int output = 0; output < found.Length; output++)
                {
                    Assert.Equal(PlainPlace([.. Along(layout, output).Select(place => sign * x[place])]), found[output]);
                }
            }
        },
        iter: 150);

    [Theory]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    [InlineData(0f)]
    public void Of_equal_numbers_the_first_is_found_whatever_they_are(float number)
    {
        foreach (AxisLayout layout in new AxisLayout[] { new(1, 5, 1), new(2, 16, 1), new(1, 9001, 1), new(1, 1030, 3), new(2, 70, 20) })
        {
            float[] x = [.. Enumerable.Repeat(number, layout.Length)];
            foreach (float sign in new[] { 1f, -1f })
            {
                int[] found = [.. Enumerable.Repeat(-1, layout.Outer * layout.Inner)];
                ArgMaxLoops.Find(new Workers(), x, layout, sign, found);
                Assert.All(found, place => Assert.Equal(0, place));
            }
        }
    }

    [Fact]
    public void Zeros_of_either_sign_are_equal()
    {
        float[] x = [-0f, 0f, -0f, -1f];
        int[] found = new int[1];
        ArgMaxLoops.Find(new Workers(), x, new AxisLayout(1, 4, 1), 1f, found);
        Assert.Equal(0, found[0]);
        ArgMaxLoops.Find(new Workers(), [0f, -0f], new AxisLayout(1, 2, 1), -1f, found);
        Assert.Equal(0, found[0]);
    }

    [Fact]
    public void Softmax_agrees_with_plain_loops() => Matrices.Sample(
        matrix =>
        {
            (int rows, int columns) = matrix;
            float[] x = Numbers(rows * columns, isCoarse: false);
            float[] gradient = Numbers(rows * columns, isCoarse: true);
            Softmaxes found = Run(new Workers(), x, gradient, rows, columns);
            for (int row = 0; row < rows; row++)
            {
                Range range = (row * columns)..((row + 1) * columns);
                PlainSoftmax(x[range], gradient[range], out double[] y, out double[] logarithm, out double[] slope, out double[] logarithmSlope);
                Near(y, found.Y[range], 1e-6);
                Near(logarithm, found.Logarithm[range], 4e-6);
                Near(slope, found.Slope[range], 4e-6);
                Near(logarithmSlope, found.LogarithmSlope[range], 1e-5 * columns);
            }
        },
        iter: 150);

    [Fact]
    public void A_row_has_the_softmax_that_it_has_alone_whatever_is_beside_it() => Matrices.Sample(
        matrix =>
        {
            (int rows, int columns) = matrix;
            float[] x = Numbers(rows * columns, isCoarse: false);
            float[] gradient = Numbers(rows * columns, isCoarse: true);
            x[x.Length / 2] = float.NaN;
            Softmaxes found = Run(new Workers(), x, gradient, rows, columns);
            for (int row = 0; row < rows; row++)
            {
                Range range = (row * columns)..((row + 1) * columns);
                Softmaxes alone = Run(new Workers(), x[range], gradient[range], 1, columns);
                Assert.Equal(alone.Y, found.Y[range]);
                Assert.Equal(alone.Logarithm, found.Logarithm[range]);
                Assert.Equal(alone.Slope, found.Slope[range]);
                Assert.Equal(alone.LogarithmSlope, found.LogarithmSlope[range]);
            }
        },
        iter: 60);

    [Fact]
    public void Columns_have_the_softmax_that_they_have_as_rows() => Layouts.Where(layout => layout.Length < 100_000).Sample(
        layout =>
        {
            float[] x = Numbers(layout.Length, isCoarse: false);
            float[] gradient = Numbers(layout.Length, isCoarse: true);
            Softmaxes found = Run(new Workers(), x, gradient, layout);
            int[][] lines = [.. Enumerable.Range(0, layout.Outer * layout.Inner).Select(output => Along(layout, output).ToArray())];
            float[] AsRows(float[] numbers) => [.. lines.SelectMany(line => line.Select(place => numbers[place]))];
            Softmaxes ofRows = Run(new Workers(), AsRows(x), AsRows(gradient), lines.Length, layout.Axis);
            Assert.Equal(ofRows.Y, AsRows(found.Y));
            Assert.Equal(ofRows.Logarithm, AsRows(found.Logarithm));
            Assert.Equal(ofRows.Slope, AsRows(found.Slope));
            Assert.Equal(ofRows.LogarithmSlope, AsRows(found.LogarithmSlope));
        },
        iter: 100);

    [Fact]
    public void The_bits_do_not_depend_on_the_number_of_threads()
    {
        foreach ((int rows, int columns) in new[] { (500, 65), (128, 1000), (7, 9000), (3000, 7) })
        {
            float[] x = Numbers(rows * columns, isCoarse: false);
            float[] gradient = Numbers(rows * columns, isCoarse: true);
            Softmaxes one = Run(new Workers { ThreadCount = 1 }, x, gradient, rows, columns);
            foreach (int threads in new[] { 2, 4 })
            {
                Softmaxes many = Run(new Workers { ThreadCount = threads }, x, gradient, rows, columns);
                Assert.Equal(one.Y, many.Y);
                Assert.Equal(one.Logarithm, many.Logarithm);
                Assert.Equal(one.Slope, many.Slope);
                Assert.Equal(one.LogarithmSlope, many.LogarithmSlope);
            }

            foreach (AxisLayout layout in new AxisLayout[] { new(1, rows * columns, 1), new(rows, columns, 1), new(1, rows, columns), new(1, columns, rows) })
            {
                Assert.Equal(Reduced(1, x, layout), Reduced(2, x, layout));
                Assert.Equal(Reduced(1, x, layout), Reduced(4, x, layout));
            }
        }
    }

    private static (float[] Sums, int[] Places) Results(int threads, float[] x, AxisLayout layout)
    {
        Workers workers = new() { ThreadCount = threads };
        float[] sums = new float[layout.Outer * layout.Inner];
        int[] places = new int[sums.Length];
        ReductionLoops.Reduce(workers, default(Sum), x, layout, sums);
        ArgMaxLoops.Find(workers, x, layout, 1f, places);
        return (sums, places);
    }

    private static double[] Reduced(int threads, float[] x, AxisLayout layout)
    {
        (float[] sums, int[] places) = Results(threads, x, layout);
        return [.. sums, .. places];
    }

    /// <summary>The places along the axis of one output.</summary>
    private static IEnumerable<int> Along(AxisLayout layout, int output)
    {
        int start = (output / layout.Inner * layout.Axis * layout.Inner) + (output % layout.Inner);
        return Enumerable.Range(0, layout.Axis).Select(place => start + (place * layout.Inner));
    }

    /// <summary>Sixteen sums, each of every sixteenth number, and then those and the numbers left.</summary>
    private static float SumOfShortRows(float[] numbers)
    {
        int whole = numbers.Length - (numbers.Length % 16);
        IEnumerable<float> sums = Enumerable.Range(0, 16).Select(
            first => SumOfBlocks([.. numbers[..whole].Where((_, place) => place % 16 == first)]));
        return InOrder(sums.Concat(numbers[whole..]));
    }

    private static float SumOfBlocks(float[] numbers) =>
        numbers.Length <= 64 ? InOrder(numbers) : SumOfBlocks([.. numbers.Chunk(64).Select(InOrder)]);

    private static float InOrder(IEnumerable<float> numbers) => numbers.Aggregate(0f, (sum, number) => sum + number);

    private static int PlainPlace(float[] x)
    {
        int best = 0;
        for (int i = 1; i < x.Length && !float.IsNaN(x[best]); i++)
        {
            best = x[i] > x[best] || float.IsNaN(x[i]) ? i : best;
        }

        return best;
    }

    private static void PlainSoftmax(
        float[] x, float[] gradient, out double[] y, out double[] logarithm, out double[] slope, out double[] logarithmSlope)
    {
        double largest = x.Max();
        double normalizer = largest + Math.Log(x.Sum(number => Math.Exp(number - largest)));
        double[] logarithms = [.. x.Select(number => number - normalizer)];
        double[] probabilities = [.. logarithms.Select(Math.Exp)];
        double projection = probabilities.Zip(gradient, (p, g) => p * g).Sum();
        double total = gradient.Sum(number => (double)number);
        (logarithm, y) = (logarithms, probabilities);
        slope = [.. probabilities.Zip(gradient, (p, g) => p * (g - projection))];
        logarithmSlope = [.. probabilities.Zip(gradient, (p, g) => g - (p * total))];
    }

    private static Softmaxes Run(Workers workers, float[] x, float[] gradient, int rows, int columns) =>
        Run(workers, x, gradient, new AxisLayout(rows, columns, 1));

    private static Softmaxes Run(Workers workers, float[] x, float[] gradient, AxisLayout layout)
    {
        float[] Fresh() => [.. Enumerable.Repeat(float.NaN, x.Length)];
        Softmaxes found = new(Fresh(), Fresh(), Fresh(), Fresh());
        SoftmaxLoops.Forward(workers, x, layout, false, found.Y);
        SoftmaxLoops.Forward(workers, x, layout, true, found.Logarithm);
        SoftmaxLoops.Backward(workers, found.Y, gradient, layout, false, found.Slope);
        SoftmaxLoops.Backward(workers, found.Logarithm, gradient, layout, true, found.LogarithmSlope);
        return found;
    }

    private static void Near(double[] expected, float[] found, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - found[i]) <= tolerance * (1 + Math.Abs(expected[i])), $"element {i}: {found[i]:R}, not {expected[i]:R}");
        }
    }

    /// <summary>Normal numbers; coarse ones have ties.</summary>
    private static float[] Numbers(int length, bool isCoarse)
    {
        float[] x = Tensor.Normal([length], generator: new Generator(isCoarse ? 3UL : 4UL)).ToArray();
        return isCoarse ? Array.ConvertAll(x, MathF.Round) : x;
    }

    private sealed record Softmaxes(float[] Y, float[] Logarithm, float[] Slope, float[] LogarithmSlope);
}
