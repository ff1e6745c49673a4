using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Operations;
using Minigrad.Tests.Gpu;

namespace Minigrad.Tests.Autodiff;

/// <summary>Operations in emulated half precision: what is rounded, what is not, and where the scope ends.</summary>
public sealed class EmulatedPrecisionTests
{
    private const float Third = 1f / 3;

    public static TheoryData<Precision> Halves => [Precision.Half, Precision.BFloat16];

    [Theory]
    [MemberData(nameof(Halves))]
    public void An_operation_reads_rounded_numbers_and_writes_a_rounded_one(Precision precision)
    {
        Tensor a = Tensor.Normal([3, 4], generator: new Generator(1));
        Tensor b = Tensor.Normal([3, 4], generator: new Generator(2));
        Tensor expected = Round(Round(a, precision) * Round(b, precision), precision);
        Tensor product = Round(Round(a, precision).MatMul(Round(b, precision), transposeRight: true), precision);
        using (new EmulatedPrecision(precision))
        {
            Assert.Equal(expected.ToArray(), (a * b).ToArray());
            Assert.Equal(product.ToArray(), a.MatMul(b, transposeRight: true).ToArray());
        }

        Assert.NotEqual(expected.ToArray(), (a * b).ToArray());
    }

    /// <summary>Every kind of loop: elementwise of one, two and three operands, reductions, products, normalisation, softmax, sequences.</summary>
    [Theory]
    [MemberData(nameof(Halves))]
    public void Every_result_and_every_gradient_is_a_half(Precision precision)
    {
        Generator generator = new(7);
        Sequential model = new(
            new Linear(4, 6, generator: generator), new Tanh(), new LayerNorm(6), new Linear(6, 6, generator: generator), new Silu());
        Lstm lstm = new(6, 5, new RecurrentOptions { Generator = generator });
        Gru gru = new(5, 4, new RecurrentOptions { Generator = generator });
        Tensor x = Tensor.Normal([2, 3, 4], generator: generator).WithGradient("x");
        List<Tensor> results = [];
        using (new EmulatedPrecision(precision))
        {
            results.Add(model.Forward(x));
            results.Add(lstm.Forward(results[^1]));
            results.Add(gru.Forward(results[^1]));
            results.Add(Tensor.Where(results[^1].Greater(0f), results[^1], Third * results[^1]));
            results.Add(results[^1].Softmax(-1).CumulativeSum(1).LogSumExp([2]));
            results.Add(results[^1].Sum());
        }

        Tensor[] gradients = Tensor.Gradients(results[^1], [.. results[..^1], x, .. model.Parameters, .. lstm.Parameters, .. gru.Parameters]);
        Assert.All([.. results, .. gradients], tensor => AssertIsRounded(tensor, precision));
        Assert.All(gradients, gradient => Assert.Contains(gradient.ToArray(), value => value != 0));
    }

    /// <summary>None computes past the scope, forward or back.</summary>
    [Theory]
    [MemberData(nameof(Halves))]
    public void Every_operation_of_the_table_gives_halves(Precision precision)
    {
        foreach (ProgramOperation operation in ProgramOperation.All)
        {
            for (int number = 0; number < 6; number++)
            {
                Generator generator = new(20 + (ulong)number);
                Tensor[] operands = [.. operation.Shapes(5, 7, number).Prepend([5, 7]).Select(shape => Tensor.Uniform(shape, 0.5f, 2, generator).WithGradient())];
                Tensor[] inputs;
                Tensor y;
                using (new EmulatedPrecision(precision))
                {
                    inputs = [.. operands.Select(operand => 1f * operand)];
                    y = operation.Compute(inputs, number);
                }

                Assert.True(IsRounded(y, precision), $"{operation.Name} {number}: the result");
                Tensor seed = Tensor.Normal(y.Shape, generator: generator);
                Assert.All(
                    Tensor.Gradients(y, inputs, seed), gradient => Assert.True(IsRounded(gradient, precision), $"{operation.Name} {number}: a gradient"));
            }
        }
    }

    [Fact]
    public void Weights_stay_float32_and_their_gradients_gather_in_float32()
    {
        Tensor w = Tensor.Of([Third]).WithGradient("w");
        using (new EmulatedPrecision(Precision.Half))
        {
            // Half precision has no number between 2048 and 2050.
            (2048f * w).Sum().Backward();
            (1f * w).Sum().Backward();
        }

        Assert.Equal(Third, w.Item());
        Assert.Equal(2049f, w.Gradient!.Item());
    }

    [Fact]
    public void A_small_gradient_vanishes_and_a_scale_saves_it()
    {
        float GradientOf(float scale)
        {
            Tensor w = Tensor.Of([0.5f]).WithGradient("w");
            Tensor y;
            using (new EmulatedPrecision(Precision.Half))
            {
                y = 0.5f * w;
            }

            (y * 2e-8f * scale).Sum().Backward();
            return w.Gradient!.Item() / scale;
        }

        Assert.Equal(0f, GradientOf(1));
        Assert.Equal(1e-8f, GradientOf(65536), 1e-11f);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gradients_are_rounded_wherever_backward_is_called(bool inside)
    {
        Tensor w = Tensor.Of([Third]).WithGradient("w");
        Tensor y;
        using (new EmulatedPrecision(Precision.Half))
        {
            y = w.Square();
        }

        Tensor loss = (y * 0.1f).Sum();
        using (new EmulatedPrecision(inside ? Precision.Half : Precision.Full))
        {
            loss.Backward();
        }

        AssertIsRounded(w.Gradient!, Precision.Half);
        Assert.Equal((float)(Half)(2 * (float)(Half)Third * (float)(Half)0.1f), w.Gradient!.Item());
    }

    [Fact]
    public void The_gradient_of_a_leaf_that_is_its_own_root_gathers_in_float32()
    {
        Tensor w = Tensor.Of([Third]).WithGradient("w");
        using (new EmulatedPrecision(Precision.Half))
        {
            w.Backward(Tensor.Of([2048f]));
            w.Backward(Tensor.Of([1f]));
        }

        Assert.Equal(2049f, w.Gradient!.Item());
    }

    [Fact]
    public void What_is_computed_outside_is_float32_in_both_directions()
    {
        Tensor w = Tensor.Of([Third]).WithGradient("w");
        Tensor loss = (w * w).Sum();
        using (new EmulatedPrecision(Precision.Half))
        {
            using (new EmulatedPrecision(Precision.Full))
            {
                Assert.Equal(loss.Item(), (w * w).Sum().Item());
            }

            AssertIsRounded(w * w, Precision.Half);
            loss.Backward();
        }

        Assert.Equal(2 * Third, w.Gradient!.Item());
        Assert.Equal(loss.Item(), (w * w).Sum().Item());
    }

    [Fact]
    public void A_scope_is_of_its_thread_alone()
    {
        float other = 0;
        using (new EmulatedPrecision(Precision.BFloat16))
        {
            Thread thread = new(() => other = (Tensor.Of([Third]) * 1f).Item());
            thread.Start();
            thread.Join();
        }

        Assert.Equal(Third, other);
    }

    [Fact]
    public void A_failed_backward_leaves_the_scope_as_it_was()
    {
        Tensor w = Tensor.Of([Third]).WithGradient("w");
        Tensor y;
        using (new EmulatedPrecision(Precision.Half))
        {
            y = Tensor.Custom("Broken", [w], () => w.Detach(), _ => throw new TimeoutException()).Sum();
        }

        Assert.Throws<TimeoutException>(() => y.Backward());
        Assert.Equal(Third, (w.Detach() * 1f).Item());
    }

    [Fact]
    public void Second_derivatives_are_rounded_as_well()
    {
        Tensor x = Tensor.Of([Third, 1.7f]).WithGradient("x");
        Tensor y;
        using (new EmulatedPrecision(Precision.Half))
        {
            y = (x * x * x).Sum();
        }

        Tensor first = Tensor.Gradients(y, [x], createGraph: true)[0];
        Tensor second = Tensor.Gradients(first.Sum(), [x])[0];
        Assert.NotEqual((6f * x.Detach()).ToArray(), second.ToArray());
        Assert.All(x.ToArray().Zip(second.ToArray()), pair => Assert.Equal(6 * pair.First, pair.Second, 0.01f));
    }

    [Fact]
    public void Running_statistics_of_a_batch_norm_stay_float32()
    {
        Tensor x = Tensor.Normal([8, 3], generator: new Generator(4));
        BatchNorm1d norm = new(3);
        using (new EmulatedPrecision(Precision.BFloat16))
        {
            AssertIsRounded(norm.Forward(x), Precision.BFloat16);
        }

        float[] means = norm.RunningMean.ToArray();
        Assert.NotEqual(Round(norm.RunningMean, Precision.BFloat16).ToArray(), means);
        Assert.Equal(0.1f * Round(x, Precision.BFloat16).Mean([0]), norm.RunningMean, (a, b) => a.ToArray().Zip(b.ToArray()).All(pair => MathF.Abs(pair.First - pair.Second) < 1e-6f));
    }

    [Fact]
    public void A_loss_may_be_inside_too()
    {
        Tensor x = Tensor.Normal([5, 3], generator: new Generator(5)).WithGradient("x");
        using (new EmulatedPrecision(Precision.Half))
        {
            Tensor loss = Loss.CrossEntropy(x, (int[])[0, 1, 2, 1, 0]);
            AssertIsRounded(loss, Precision.Half);
            loss.Backward();
        }

        AssertIsRounded(x.Gradient!, Precision.Half);
    }

    [Fact]
    public void A_precision_that_there_is_not_is_refused()
    {
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => new EmulatedPrecision((Precision)7)).Message;
        Assert.Contains("7 is no precision", message, StringComparison.Ordinal);
        Assert.Contains("Full, Half, BFloat16", message, StringComparison.Ordinal);
    }

    private static Tensor Round(Tensor x, Precision precision) => precision == Precision.Half
        ? x.Detach().Map(default(RoundToHalf))
        : x.Detach().Map(default(RoundToBFloat16));

    private static bool IsRounded(Tensor tensor, Precision precision) =>
        Round(tensor, precision).ToArray().SequenceEqual(tensor.ToArray());

    private static void AssertIsRounded(Tensor tensor, Precision precision) =>
        Assert.Equal(Round(tensor, precision).ToArray(), tensor.ToArray());
}
