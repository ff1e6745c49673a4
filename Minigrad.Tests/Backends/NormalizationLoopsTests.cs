using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>The loops of normalisation held against plain ones in double precision.</summary>
public sealed class NormalizationLoopsTests
{
    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[1, 5], Gen.Int[6, 40], Gen.OneOfConst(63, 64, 65, 130));

    private static readonly Gen<NormalizationShape> Shapes =
        from outer in Size
        from groups in Gen.Frequency((9, Size), (1, Gen.Const(0)))
        from inner in Gen.Frequency((3, Gen.Const(1)), (6, Size), (1, Gen.OneOfConst(0, 4095, 4096, 9000)))
        from flags in Gen.Int[0, 3]
        select new NormalizationShape((flags & 1) != 0 ? outer : 1, groups, inner)
        {
            IsWeightPerGroup = (flags & 1) != 0,
            IsCentred = (flags & 2) != 0,
            Epsilon = 1e-3f,
        };

    [Fact]
    public void Any_shape_agrees_with_plain_loops() => Gen.Select(Shapes, Gen.Bool, Gen.Bool).Sample(
        (shape, hasWeight, hasBias) =>
        {
            Case item = new(shape, hasWeight, hasBias);
            Plain expected = new(item);
            Results found = Run(new Workers(), item);
            Near(expected.Y, found.Y, "y");
            Near(expected.Input, found.Input, "the gradient of x");
            Near(expected.Weight, found.Weight, "the gradient of weight");
            Near(expected.Bias, found.Bias, "the gradient of bias");
        },
        iter: 300);

    [Fact]
    public void The_bits_do_not_depend_on_the_number_of_threads() => Shapes.Sample(
        shape =>
        {
            Case item = new(shape, true, true);
            Results one = Run(new Workers { ThreadCount = 1 }, item);
            foreach (int threads in new[] { 2, 4 })
            {
                Results many = Run(new Workers { ThreadCount = threads }, item);
                Assert.Equal(one.Y, many.Y);
                Assert.Equal(one.Input, many.Input);
                Assert.Equal(one.Weight, many.Weight);
                Assert.Equal(one.Bias, many.Bias);
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
                Case item = new(new NormalizationShape(isPerGroup ? 9 : 1, 5, inner) { IsWeightPerGroup = isPerGroup, IsCentred = true }, true, true);
                Results all = Run(new Workers(), item);
                float[] input = new float[all.Input.Length];
                float[] weight = new float[all.Weight.Length];
                float[] bias = new float[all.Bias.Length];
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, input, null, null);
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, null, weight, null);
                NormalizationLoops.Backward(new Workers(), item.Shape, item.X, all.Statistics, item.Weight, item.Gradient, null, null, bias);
                Assert.Equal(all.Input, input);
                Assert.Equal(all.Weight, weight);
                Assert.Equal(all.Bias, bias);
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
            Case item = new(shape, true, true);
            item.X[isPerGroup ? 1 : 50] = float.PositiveInfinity;
            Results found = Run(new Workers(), item);
            for (int i = 0; i < item.X.Length; i++)
            {
                bool isSpoilt = i / shape.Inner % shape.Groups == 1;
                Assert.Equal(isSpoilt, float.IsNaN(found.Y[i]));
                Assert.Equal(isSpoilt, float.IsNaN(found.Input[i]));
            }
        }
    }

    private static Results Run(Workers workers, Case item)
    {
        NormalizationShape shape = item.Shape;
        float[] statistics = [.. Enumerable.Repeat(float.NaN, 2 * shape.Groups)];
        float[] Fresh(int length) => [.. Enumerable.Repeat(float.NaN, length)];
        Results results = new(
            statistics, Fresh(item.X.Length), Fresh(item.X.Length), Fresh(shape.WeightCount), Fresh(shape.WeightCount));
        NormalizationLoops.Statistics(workers, shape, item.X, statistics);
        NormalizationLoops.Forward(workers, shape, item.X, statistics, item.Weight, item.Bias, results.Y);
        NormalizationLoops.Backward(
            workers, shape, item.X, statistics, item.Weight, item.Gradient, results.Input, results.Weight, results.Bias);
        return results;
    }

    /// <summary>Sums of up to 10,000 products in float32, each within some 1e-7 of its size, which may cancel.</summary>
    private static void Near(double[] expected, float[] found, string what)
    {
        Assert.Equal(expected.Length, found.Length);
        double largest = expected.Length == 0 ? 0 : expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(expected[i] - found[i]);
            Assert.True(error <= 2e-5 * (1 + largest), $"{what}, element {i}: {found[i]:R}, not {expected[i]:R}");
        }
    }

    private sealed record Results(float[] Statistics, float[] Y, float[] Input, float[] Weight, float[] Bias);

    private sealed class Case
    {
        public Case(NormalizationShape shape, bool hasWeight, bool hasBias)
        {
            Generator generator = new(7);
            Shape = shape;
            int length = shape.GroupLength * shape.Groups;
            X = (Tensor.Normal([length], generator: generator) + 3f).ToArray();
            Gradient = Tensor.Normal([length], generator: generator).ToArray();
            Weight = hasWeight ? Tensor.Normal([shape.WeightCount], generator: generator).ToArray() : null;
            Bias = hasBias ? Tensor.Normal([shape.WeightCount], generator: generator).ToArray() : null;
        }

        public NormalizationShape Shape { get; }

        public float[] X { get; }

        public float[] Gradient { get; }

        public float[]? Weight { get; }

        public float[]? Bias { get; }
    }

    /// <summary>The definition, number after number.</summary>
    private sealed class Plain
    {
        public Plain(Case item)
        {
            NormalizationShape shape = item.Shape;
            Y = new double[item.X.Length];
            Input = new double[item.X.Length];
            Weight = new double[shape.WeightCount];
            Bias = new double[shape.WeightCount];
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

                int Place(int i) => shape.IsWeightPerGroup ? channel : i % shape.Inner;
                double mean = shape.IsCentred ? places.Average(i => (double)item.X[i]) : 0;
                double variance = places.Average(i => (item.X[i] - mean) * (item.X[i] - mean));
                double deviation = Math.Sqrt(variance + shape.Epsilon);
                double Standardized(int i) => (item.X[i] - mean) / deviation;
                double Inner(int i) => item.Gradient[i] * (item.Weight?[Place(i)] ?? 1.0);
                double meanGradient = shape.IsCentred ? places.Average(Inner) : 0;
                double meanProduct = places.Average(i => Inner(i) * Standardized(i));
                foreach (int i in places)
                {
                    Y[i] = (Standardized(i) * (item.Weight?[Place(i)] ?? 1.0)) + (item.Bias?[Place(i)] ?? 0.0);
                    Input[i] = (Inner(i) - meanGradient - (Standardized(i) * meanProduct)) / deviation;
                    Weight[Place(i)] += item.Gradient[i] * Standardized(i);
                    Bias[Place(i)] += item.Gradient[i];
                }
            }
        }

        public double[] Y { get; }

        public double[] Input { get; }

        public double[] Weight { get; }

        public double[] Bias { get; }
    }
}
