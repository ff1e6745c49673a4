using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Cross-entropy of rows of any length, held against its definition in double precision, and a row against the same row alone.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class CrossEntropyLoopsTests
{
    private const float Divisor = 3f;

    /// <summary>Rows around a vector's lanes, columns around the longest rows that are walked side by side and around vectors.</summary>
    private static readonly Gen<Case> Cases =
        from rows in Gen.Int[1, 40]
        from columns in Gen.Frequency((4, Gen.Int[1, 36]), (1, Gen.Int[37, 300]))
        from x in Gen.Float[-9f, 9f].Array[rows * columns]
        from labels in Gen.Frequency((1, Gen.Const(-1)), (5, Gen.Int[0, columns - 1])).Array[rows]
        from weights in Gen.Frequency((2, Gen.Const((float[]?)null)), (1, Gen.Frequency((1, Gen.Const(0f)), (5, Gen.Float[0.1f, 3f])).Array[columns].Select(numbers => (float[]?)numbers)))
        from smoothing in Gen.OneOfConst(0f, 0f, 0.1f, 1f)
        from gradients in Gen.Float[-2f, 2f].Array[rows]
        from isOneGradient in Gen.Bool
        select new Case(x, labels, columns, weights, smoothing, isOneGradient ? [gradients[0]] : gradients);

    [Fact]
    public void Losses_and_slopes_agree_with_the_definition() => Cases.Sample(
        example =>
        {
            (float[] losses, float[] slopes) = Run(example, threads: 2);
            for (int row = 0; row < example.Labels.Length; row++)
            {
                (double loss, double[] expected) = Plain(example, row);
                Assert.True(Math.Abs(loss - losses[row]) <= 1e-5 * (1 + Math.Abs(loss)), $"row {row}: {losses[row]:R}, not {loss:R}");
                for (int column = 0; column < example.Columns; column++)
                {
                    float slope = slopes[(row * example.Columns) + column];
                    Assert.True(Math.Abs(expected[column] - slope) <= 1e-5, $"row {row}, column {column}: {slope:R}, not {expected[column]:R}");
                }
            }
        },
        iter: 400);

    [Fact]
    public void A_row_has_the_bits_that_it_has_alone_whatever_is_beside_it() => Gen.Select(Cases, Gen.Int[0, 39], Gen.OneOfConst(float.NaN, float.PositiveInfinity, float.NegativeInfinity)).Sample(
        (example, place, odd) =>
        {
            example.X[place % example.X.Length] = odd;
            (float[] losses, float[] slopes) = Run(example, threads: 1);
            for (int row = 0; row < example.Labels.Length; row++)
            {
                Range range = (row * example.Columns)..((row + 1) * example.Columns);
                float[] gradient = example.Gradients.Length == 1 ? example.Gradients : example.Gradients[row..(row + 1)];
                (float[] loss, float[] slope) = Run(example with { X = example.X[range], Labels = [example.Labels[row]], Gradients = gradient }, threads: 1);
                Assert.Equal(Bits(loss), Bits(losses[row..(row + 1)]));
                Assert.Equal(Bits(slope), Bits(slopes[range]));
            }
        },
        iter: 200);

    [Theory]
    [InlineData(3)]
    [InlineData(32)]
    [InlineData(33)]
    public void A_row_that_is_left_out_has_no_loss_and_no_slope_whatever_its_logits(int columns)
    {
        float[] x = [.. Enumerable.Range(0, 20 * columns).Select(place => place / columns % 2 == 0 ? float.NaN : place % 5)];
        int[] labels = [.. Enumerable.Range(0, 20).Select(row => row % 2 == 0 ? -1 : 1)];
        (float[] losses, float[] slopes) = Run(new Case(x, labels, columns, null, 0.1f, [1f]), threads: 1);
        for (int row = 0; row < 20; row++)
        {
            float[] rowSlopes = slopes[(row * columns)..((row + 1) * columns)];
            Assert.Equal(row % 2 == 0, losses[row] == 0f);
            Assert.Equal(row % 2 == 0, rowSlopes.All(slope => slope == 0f));
            Assert.DoesNotContain(float.NaN, rowSlopes);
        }
    }

    private static IEnumerable<int> Bits(float[] numbers) => numbers.Select(BitConverter.SingleToInt32Bits);

    private static (float[] Losses, float[] Slopes) Run(Case example, int threads)
    {
        Workers workers = new() { ThreadCount = threads };
        int rows = example.Labels.Length;
        float[] losses = [.. Enumerable.Repeat(float.NaN, rows)];
        float[] slopes = [.. Enumerable.Repeat(float.NaN, example.X.Length)];
        float[] normalizers = new float[2 * rows];
        CrossEntropyLoops.Forward(workers, example.X, example.Targets, example.Columns, normalizers, losses);
        CpuStorage gradient = new(CpuBackend.Instance, example.Gradients, example.Gradients.Length);
        CrossEntropyLoops.Backward(workers, example.X, normalizers, example.Targets, example.Columns, gradient, Divisor, slopes);
        return (losses, slopes);
    }

    private static (double Loss, double[] Slopes) Plain(Case example, int row)
    {
        int label = example.Labels[row];
        if (label < 0)
        {
            return (0, new double[example.Columns]);
        }

        double[] x = [.. example.X.Skip(row * example.Columns).Take(example.Columns)];
        double normalizer = x.Max() + Math.Log(x.Sum(number => Math.Exp(number - x.Max())));
        double[] logarithms = [.. x.Select(number => number - normalizer)];
        double[] targets = [.. x.Select((_, column) =>
            example.Weight(column) * ((example.Smoothing / example.Columns) + (column == label ? 1 - (double)example.Smoothing : 0)))];
        double scale = example.Gradients[example.Gradients.Length == 1 ? 0 : row] / (double)Divisor;
        return (
            -targets.Zip(logarithms, (target, logarithm) => target * logarithm).Sum(),
            [.. targets.Select((target, column) => scale * ((targets.Sum() * Math.Exp(logarithms[column])) - target))]);
    }

    private sealed record Case(float[] X, int[] Labels, int Columns, float[]? Weights, float Smoothing, float[] Gradients)
    {
        public ClassTargets Targets => new(
            new RowNumbers(Labels),
            1f - Smoothing,
            Smoothing / Columns,
            Weights is null ? null : new CpuStorage(CpuBackend.Instance, Weights, Columns),
            Weights?.Sum() ?? Columns);

        public double Weight(int column) => Weights?[column] ?? 1;
    }
}
