using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>The loops of normalisation held against plain ones in double precision, within what the roundings of their terms can do.</summary>
public sealed class NormalizationLoopsTests
{
    /// <summary>Enough for the longest runs beside many others, and what plain loops walk in a moment.</summary>
    private const int MostElements = 1_000_000;

    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[1, 5], Gen.Int[6, 40], Gen.OneOfConst(63, 64, 65, 130));

    private static readonly Gen<NormalizationShape> Shapes =
        from outer in Size
        from groups in Gen.Frequency((9, Size), (1, Gen.Const(0)))
        from inner in Gen.Frequency((3, Gen.Const(1)), (6, Size), (1, Gen.OneOfConst(0, 4095, 4096, 9000)))
        from flags in Gen.Int[0, 3]
        where (long)outer * groups * inner <= MostElements
        select new NormalizationShape((flags & 1) != 0 ? outer : 1, groups, inner)
        {
            IsWeightPerGroup = (flags & 1) != 0,
            IsCentred = (flags & 2) != 0,
            Epsilon = 1e-3f,
        };

    [Fact]
    public void Any_shape_agrees_with_plain_loops()
    {
        // 18,000 gradients of both signs that add up to a five-thousandth of their magnitudes.
        AssertAgrees(new NormalizationShape(2, 1, 9000) { IsWeightPerGroup = true, IsCentred = true, Epsilon = 1e-3f }, 28, 7, 3f, 0f);
        Gen.Select(Shapes, Gen.Int[0, 3], Gen.Int[0, 1000], Gen.OneOfConst(0f, 3f, 100f), Gen.OneOfConst(0f, 1f))
            .Sample((shape, flags, seed, x, others) => AssertAgrees(shape, flags | 28, seed, x, others), iter: 300);
    }

    /// <summary>These sums are whole numbers that no order of additions rounds: a term that is left out is seen in the longest, whose bounds are wide.</summary>
    [Fact]
    public void Sums_that_need_no_rounding_are_exact() => Shapes.Sample(
        shape =>
        {
            // x and weights are ±1 and ±2, gradients ±1, and x̂ is 2x or 2x − 1, so that terms are up to 10, and the sums of a million below 2²⁴.
            NormalizationCase drawn = new(shape with { Epsilon = 0f }, 31, 7, 0f, 0f);
            static float[] Whole(float[] numbers, float most) => Array.ConvertAll(numbers, x => MathF.CopySign(Math.Clamp(MathF.Ceiling(MathF.Abs(x)), 1f, most), x));
            NormalizationCase item = drawn with { X = Whole(drawn.X, 2f), Gradient = Whole(drawn.Gradient, 1f), Weight = Whole(drawn.Weight!, 2f) };
            float[] given = [.. Enumerable.Repeat(shape.IsCentred ? 0.5f : 0f, shape.Groups), .. Enumerable.Repeat(0.25f, shape.Groups)];
            NormalizationResults<double> exact = Plain(item, given);
            NormalizationResults<float> found = Run(item, given);
            Assert.Equal(exact.OfWeight, Array.ConvertAll(found.OfWeight!, value => (double)value));
            Assert.Equal(exact.OfBias, Array.ConvertAll(found.OfBias!, value => (double)value));
            Assert.Empty(new NormalizationBounds(item, given, NormalizationDepths.OnCpu(shape) with { Gradients = 0 }).Outside(exact, found));
            if (shape.GroupLength > 0)
            {
                // Of the squared differences only those from 0 are whole numbers.
                Range areExact = shape.IsCentred ? ..shape.Groups : ..;
                Assert.Equal(Array.ConvertAll(exact.Statistics, value => (float)value)[areExact], found.Statistics[areExact]);
            }
        },
        iter: 100);

    [Theory]
    [InlineData(9, 3, 300, true)]
    [InlineData(1, 9, 300, false)]
    [InlineData(70, 40, 1, true)]
    [InlineData(1, 70, 40, false)]
    public void A_fault_is_outside_the_bounds(int outer, int groups, int inner, bool isWeightPerGroup)
    {
        NormalizationShape shape = new(outer, groups, inner) { IsWeightPerGroup = isWeightPerGroup, IsCentred = true, Epsilon = 1e-3f };
        NormalizationCase right = new(shape, 31, 7, 3f, 0f);
        float[] statistics = right.Statistics();
        string[] Outside(NormalizationCase faulty, float[]? given = null) => OutsideOf(right, statistics, Run(faulty, given ?? statistics));
        Assert.Empty(Outside(right));

        // A number that is left out of the sum of a group, and one whose square is.
        static float[] WithLast(float[] numbers, float last) => [.. numbers[..^1], last];
        Assert.Contains("mean", Outside(right with { X = WithLast(right.X, 0f) }));
        Assert.Contains("variance", Outside(right with { X = WithLast(right.X, statistics[groups - 1]) }));

        // A gradient that is left out of all sums, and a number that is read at its neighbour's place.
        NormalizationCase shorter = right with { Gradient = WithLast(right.Gradient, 0f) };
        Assert.Equal(["gradient of x", "gradient of weight", "gradient of bias"], Outside(shorter));
        Assert.Equal(["mean", "variance", "y", "gradient of x", "gradient of weight"], Outside(right with { X = WithLast(right.X, right.X[^2]) }));

        // At the other places of its group the sums of h, where its x̂ is 0, and of h · x̂, where h is not averaged, are seen alone.
        float[] atMean = [.. statistics];
        atMean[groups - 1] = right.X[^1];
        foreach ((NormalizationShape averaged, float[] given) in new[] { (shape, atMean), (shape with { IsCentred = false }, statistics) })
        {
            NormalizationCase item = right with { Shape = averaged };
            NormalizationResults<float> found = Run(shorter with { Shape = averaged }, given);
            found.OfInput![^1] = Run(item, given).OfInput![^1];
            Assert.Contains("gradient of x", OutsideOf(item, given, found));
        }

        // An ε that is a tenth larger, a mean that is not subtracted from x, or from h, and a weight, a bias and statistics of the neighbour.
        Assert.Contains("y", Outside(right with { Shape = shape with { Epsilon = 1.1e-3f } }));
        Assert.Contains("gradient of x", Outside(right with { Shape = shape with { Epsilon = 1.1e-3f } }));
        Assert.Equal(["y", "gradient of x", "gradient of weight"], Outside(right, [.. new float[groups], .. statistics[groups..]]));
        Assert.Equal(["mean", "variance", "gradient of x"], Outside(right with { Shape = shape with { IsCentred = false } }));
        static float[] Turned(float[] numbers) => [.. numbers[1..], numbers[0]];
        Assert.Equal(["y", "gradient of x"], Outside(right with { Weight = Turned(right.Weight!) }));
        Assert.Equal(["y"], Outside(right with { Bias = Turned(right.Bias!) }));
        Assert.Equal(["y", "gradient of x", "gradient of weight"], Outside(right, Turned(statistics)));
    }

    [Fact]
    public void The_bits_do_not_depend_on_the_number_of_threads() => Shapes.Sample(
        shape =>
        {
            NormalizationCase item = new(shape, 31, 7, 3f, 0f);
            NormalizationResults<float> one = Run(item, threads: 1);
            foreach (int threads in new[] { 2, 4 })
            {
                Assert.Equal(one.All, Run(item, threads: threads).All);
            }
        },
        iter: 100);

    [Fact]
    public void What_is_not_asked_for_does_not_change_the_rest()
    {
        foreach (bool isPerGroup in new[] { false, true })
        {
            foreach (int inner in new[] { 1, 37 })
            {
                NormalizationCase item = new(new NormalizationShape(isPerGroup ? 9 : 1, 5, inner) { IsWeightPerGroup = isPerGroup, IsCentred = true }, 31, 7, 3f, 0f);
                NormalizationResults<float> all = Run(item);
                float[] input = new float[item.X.Length];
                float[] weight = new float[item.Shape.WeightCount];
                float[] bias = new float[item.Shape.WeightCount];
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, input, null, null);
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, null, weight, null);
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, null, null, bias);
                Assert.Equal(all.OfInput, input);
                Assert.Equal(all.OfWeight, weight);
                Assert.Equal(all.OfBias, bias);
            }
        }
    }

    [Fact]
    public void A_number_that_is_not_finite_spoils_its_own_group_only()
    {
        foreach (bool isPerGroup in new[] { false, true })
        {
            // One group of three in the middle: a row of [3, 50], and a channel of [4, 3].
            NormalizationShape shape = new(isPerGroup ? 4 : 1, 3, isPerGroup ? 1 : 50) { IsWeightPerGroup = isPerGroup, IsCentred = true };
            NormalizationCase item = new(shape, 31, 7, 3f, 0f);
            item.X[isPerGroup ? 1 : 50] = float.PositiveInfinity;
            NormalizationResults<float> found = Run(item);
            for (int i = 0; i < item.X.Length; i++)
            {
                bool isSpoilt = i / shape.Inner % shape.Groups == 1;
                Assert.Equal(isSpoilt, float.IsNaN(found.Y[i]));
                Assert.Equal(isSpoilt, float.IsNaN(found.OfInput![i]));
            }
        }
    }

    private static void AssertAgrees(NormalizationShape shape, int flags, int seed, float x, float others)
    {
        NormalizationCase item = new(shape, flags, seed, x, others);
        NormalizationResults<float> found = Run(item);
        Assert.Empty(Bounds(item, found.Statistics).Outside(Plain(item, found.Statistics), found));
    }

    private static string[] OutsideOf(NormalizationCase item, float[] statistics, NormalizationResults<float> found) =>
        [.. Bounds(item, statistics).Outside(Plain(item, statistics), found).Select(result => result.Name)];

    private static NormalizationBounds Bounds(NormalizationCase item, float[] statistics) =>
        new(item, statistics, NormalizationDepths.OnCpu(item.Shape));

    /// <summary>What the loops find, all but the statistics from statistics that are given, or else from those.</summary>
    private static NormalizationResults<float> Run(NormalizationCase item, float[]? given = null, int? threads = null)
    {
        NormalizationShape shape = item.Shape;
        Workers workers = new();
        workers.ThreadCount = threads ?? workers.ThreadCount;
        static float[] Fresh(int length) => [.. Enumerable.Repeat(float.NaN, length)];
        NormalizationResults<float> results = new(
            Fresh(2 * shape.Groups), Fresh(item.X.Length), Fresh(item.X.Length), Fresh(shape.WeightCount), Fresh(shape.WeightCount));
        NormalizationLoops.Statistics(workers, shape, item.X, results.Statistics);
        float[] statistics = given ?? results.Statistics;
        NormalizationLoops.Forward(workers, shape, item.X, statistics, item.Weight, item.Bias, results.Y);
        NormalizationLoops.Backward(
            workers, shape, item.X, statistics, item.Weight, item.Gradient, results.OfInput, results.OfWeight, results.OfBias);
        return results;
    }

    /// <summary>The definition, number after number; of the given statistics all but the statistics.</summary>
    private static NormalizationResults<double> Plain(NormalizationCase item, float[] given)
    {
        NormalizationShape shape = item.Shape;
        double[] statistics = new double[2 * shape.Groups];
        double[] y = new double[item.X.Length];
        double[] input = new double[item.X.Length];
        double[] weight = new double[shape.WeightCount];
        double[] bias = new double[shape.WeightCount];
        for (int channel = 0; channel < shape.Groups; channel++)
        {
            int[] places =
            [
                .. from outer in Enumerable.Range(0, shape.Outer)
                   from inner in Enumerable.Range(0, shape.Inner)
                   select (((outer * shape.Groups) + channel) * shape.Inner) + inner,
            ];
            if (places.Length == 0)
            {
                continue;
            }

            double exactMean = shape.IsCentred ? places.Average(i => (double)item.X[i]) : 0;
            statistics[channel] = exactMean;
            statistics[shape.Groups + channel] = places.Average(i => (item.X[i] - exactMean) * (item.X[i] - exactMean));
            int Place(int i) => shape.IsWeightPerGroup ? channel : i % shape.Inner;
            double mean = given[channel];
            double deviation = Math.Sqrt((double)given[shape.Groups + channel] + shape.Epsilon);
            double Standardized(int i) => (item.X[i] - mean) / deviation;
            double Inner(int i) => item.Gradient[i] * (item.Weight?[Place(i)] ?? 1.0);
            double meanGradient = shape.IsCentred ? places.Average(Inner) : 0;
            double meanProduct = places.Average(i => Inner(i) * Standardized(i));
            foreach (int i in places)
            {
                y[i] = (Standardized(i) * (item.Weight?[Place(i)] ?? 1.0)) + (item.Bias?[Place(i)] ?? 0.0);
                input[i] = (Inner(i) - meanGradient - (Standardized(i) * meanProduct)) / deviation;
                weight[Place(i)] += item.Gradient[i] * Standardized(i);
                bias[Place(i)] += item.Gradient[i];
            }
        }

        return new(statistics, y, input, weight, bias);
    }
}
