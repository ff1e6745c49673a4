using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Autodiff;

/// <summary>In emulated half precision a trace tells what rounding made infinite, of which number, and when it is the loss scale's doing.</summary>
public sealed class AnomalyPrecisionTests
{
    private const float Infinity = float.PositiveInfinity;
    private const float ALayersWeight = 300f;

    [Theory]
    [InlineData(700f, 100f, 70_000f, Infinity)]
    [InlineData(-700f, 100f, -70_000f, -Infinity)]
    [InlineData(256f, 256f, 65_536f, Infinity)]
    public void A_result_too_large_for_half_precision(float a, float b, float exact, float rounded)
    {
        Tensor x = Tensor.Of([1f, a]).WithGradient("x");
        AnomalyReport report = Caught(() => In(Precision.Half, () => x * b).Sum().Backward());
        int line = Here() - 1;
        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal(("Multiply", false, exact, Precision.Half), (first.Operation, first.IsBackward, first.RoundedFrom, first.RoundedTo));
        Assert.Equal((rounded, line), (first.Value, first.Line));
        Assert.Equal([1], first.Index);
        Assert.Equal(
            $"Multiply made {AnomalySource.Text(exact)} of {AnomalySource.Text(a)} and the number {AnomalySource.Text(b)}, which rounding to half precision, whose largest number is 65504, made {AnomalySource.Text(rounded)} at [1] (1 of 2 elements), at AnomalyPrecisionTests.cs:{line}",
            first.ToString());
        Assert.Equal(["Sum"], report.PassedOnBy);
        Assert.Null(report.LossScale);
    }

    /// <summary>A float32 tensor is rounded when it is read.</summary>
    [Fact]
    public void An_operand_too_large_for_half_precision()
    {
        Tensor x = Tensor.Of([1f, 70_000f]).WithGradient("x");
        AnomalySource first = Caught(() => In(Precision.Half, () => x * 0.5f).Sum().Backward()).First;
        Assert.Equal((70_000f, Infinity), (first.RoundedFrom, first.Value));
        Assert.StartsWith(
            "Multiply read 70000, which rounding to half precision, whose largest number is 65504, made +∞, and made +∞ of 70000 and the number 0.5 at [1] (1 of 2",
            first.ToString(), StringComparison.Ordinal);

        // Not an infinity but NaN is what comes of it, ∞ − ∞.
        first = Caught(() => In(Precision.Half, () => x - x).Sum().Backward()).First;
        Assert.Equal((70_000f, float.NaN), (first.RoundedFrom, first.Value));
        first = Caught(() => In(Precision.Half, () => x.Softmax()).Sum().Backward()).First;
        Assert.Equal(("Softmax", 70_000f), (first.Operation, first.RoundedFrom));
    }

    [Fact]
    public void A_number_that_rounds_to_the_largest_is_none()
    {
        using IDisposable trace = Anomaly.Trace();
        Assert.Null(Anomaly.Find(In(Precision.Half, () => Tensor.Of([65_519f]) * 1f)));
        Assert.Equal(65_520f, Anomaly.Find(In(Precision.Half, () => Tensor.Of([65_520f]) * 1f))!.First.RoundedFrom);
    }

    [Fact]
    public void Bfloat16_does_not_overflow_there_but_at_the_end_of_its_own_range()
    {
        Tensor x = Tensor.Of([70_000f]).WithGradient("x");
        Tensor loss = Tensor.Zeros();
        using (Anomaly.Trace())
        {
            loss = In(Precision.BFloat16, () => x * x).Sum();
            new Sgd([x]) { LossScaling = LossScaling.Static(65_536) }.Scale(loss).Backward();
        }

        Assert.InRange(loss.Item(), 4.8e9f, 5e9f);
        Assert.True(float.IsFinite(x.Gradient!.Item()));
        AnomalyException exception = Assert.Throws<AnomalyException>(
            () => Traced(() => In(Precision.BFloat16, () => x * 4.845e33f).Sum().Backward()));
        Assert.Equal(Precision.BFloat16, exception.Report!.First.RoundedTo);
        Assert.InRange(exception.Report.First.RoundedFrom!.Value, 3.3895314e38f, float.MaxValue);
        Assert.Contains("rounding to bfloat16, whose largest number is 3.3895314E+38, made +∞", exception.Message, StringComparison.Ordinal);
        Assert.Contains("in float32", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_layer_is_named_and_advice_given()
    {
        Sequential model = new(new Linear(2, 2), new Linear(2, 1));
        using (new NoGrad())
        {
            model.Parameters[0].Fill(ALayersWeight);
            model.Parameters[1].Fill(0f);
            model.Parameters[2].Fill(ALayersWeight);
        }

        AnomalyException exception = Assert.Throws<AnomalyException>(() => Traced(() => In(Precision.Half, () => model.Forward(Tensor.Ones(3, 2))).Sum().Backward()));
        AnomalySource first = exception.Report!.First;
        Assert.Equal("'1', Linear(2 → 1)", first.Layer);
        Assert.Equal(360_000f, first.RoundedFrom!.Value, 1f);
        Assert.Contains("Half precision is too small for this number", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Precision.BFloat16", exception.Message, StringComparison.Ordinal);
        Assert.Contains("new EmulatedPrecision(Precision.Full)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_overflows_inside_of_an_operation_is_told_as_such()
    {
        // 300² is too large, its root is not.
        Tensor x = Tensor.Of([300f, 1f]).WithGradient("x");
        AnomalySource first = Caught(() => In(Precision.Half, () => x.Norm([])).Backward()).First;
        Assert.Equal(("Norm", 90_001f), (first.Operation, first.RoundedFrom));
        Assert.Contains("Norm had 90001 on the way, which rounding to half precision", first.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_product_and_a_time_step()
    {
        Tensor a = Tensor.Of([1f, 1f, 200f, 200f], 2, 2).WithGradient("a");
        AnomalySource first = Caught(() => In(Precision.Half, () => a.MatMul(Tensor.Full([2, 3], 200f))).Sum().Backward()).First;
        Assert.Equal(80_000f, first.RoundedFrom);
        Assert.Equal([1, 0], first.Index);

        // One unit that multiplies by 100 at each step: 1, 100, 10000, 1000000.
        Rnn rnn = new(1, 1, new RecurrentOptions { HasBias = false }, Activation.Relu);
        using (new NoGrad())
        {
            rnn.Parameters[0].Fill(1f);
            rnn.Parameters[1].Fill(100f);
        }

        Tensor input = Tensor.Of([1f, 0f, 0f, 0f, 0f], 1, 5, 1);
        first = Caught(() => In(Precision.Half, () => rnn.Forward(input)).Sum().Backward()).First;
        Assert.Equal((1e6f, "Rnn(1 → 1)"), (first.RoundedFrom, first.Layer));
        Assert.Contains("at time step 3, row 0, unit 0 (2 of 5 elements)", first.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_infinity_that_no_rounding_made_is_told_as_ever()
    {
        Tensor x = Tensor.Of([0f, 70_000f]).WithGradient("x");
        AnomalySource first = Caught(() => In(Precision.Half, () => 1f / x).Sum().Backward()).First;
        Assert.Equal((null, Precision.Full), (first.RoundedFrom, first.RoundedTo));
        Assert.Contains("Divide made +∞ of the number 1 and 0 at [0]", first.ToString(), StringComparison.Ordinal);

        Tensor held = Tensor.Of([Infinity]).WithGradient("held");
        Assert.Equal("'held' of shape [1]", Caught(() => In(Precision.Half, () => held * 1f).Sum().Backward()).First.HeldBy);

        // What an index was asked of is not what the next operation is made of.
        first = Caught(() => In(Precision.Half, () =>
        {
            x.Max().Item();
            x.ArgMax(0);
            return (x[..1] - 1f).Log();
        }).Sum().Backward()).First;
        Assert.Equal(("Logarithm", null), (first.Operation, first.RoundedFrom));
    }

    [Fact]
    public void A_gradient_that_overflows_when_it_is_rounded_under_a_loss_scale()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        Sgd optimizer = new([w]) { LossScaling = LossScaling.Dynamic() };
        int line = Here() + 1;
        Tensor Compute() => (In(Precision.Half, () => 0.25f * w) * Tensor.Of([0.5f, 2f])).Sum();
        AnomalyException exception = Assert.Throws<AnomalyException>(() => Traced(() => optimizer.Scale(Compute()).Backward()));
        AnomalyReport report = exception.Report!;
        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal(("Multiply", true, 131_072f, Precision.Half), (first.Operation, first.IsBackward, first.RoundedFrom, first.RoundedTo));
        Assert.Equal((65_536d, line), (report.LossScale, first.Line));
        Assert.Equal(
            "The gradient of 'w', of shape [2], is infinite. It began here: the gradient of the result of Multiply was 131072, which rounding to half precision, whose largest number is 65504, made +∞ "
            + $"at [1] (1 of 2 elements), at AnomalyPrecisionTests.cs:{line}. Passed on by: Multiply. The loss was scaled by 65536, without which the number would be 2: the scale is too large here, and nothing else is wrong. "
            + "A dynamic loss scale falls on such an overflow: go on to the optimizer's Step(), which skips this step and lowers the scale.",
            exception.Message);

        // Asked for without an error, the same is said.
        Assert.Contains("falls on such an overflow", Anomaly.Find(() => optimizer.Scale(Compute()))!.ToString(), StringComparison.Ordinal);
        Assert.Null(Anomaly.Find(Compute));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_gradient_that_backward_makes_too_large_is_told_with_its_operands(bool createGraph)
    {
        // 200 · 1 fits, and 200 · 400 does not: not the gradient that comes but the one that is made.
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        AnomalyReport report = Caught(() =>
        {
            Tensor y = In(Precision.Half, () => w * Tensor.Of([400f]));
            y.Backward(Tensor.Of([200f]), createGraph);
        });
        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal((true, 80_000f), (first.IsBackward, first.RoundedFrom));
        Assert.Contains("the backward of Multiply made 80000 of the gradient 200 where forward had 1 and 400, which rounding to half precision", first.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_static_scale_and_a_number_too_large_without_one_get_other_advice()
    {
        Tensor w = Tensor.Ones(1).WithGradient("w");
        Sgd optimizer = new([w]) { LossScaling = LossScaling.Static(1024) };
        string Message(float factor)
        {
            w.Gradient = null;
            return Assert.Throws<AnomalyException>(
            () => Traced(() => optimizer.Scale((In(Precision.Half, () => 0.25f * w) * factor).Sum()).Backward())).Message;
        }

        string message = Message(100);
        Assert.Contains("The loss was scaled by 1024, without which the number would be 100", message, StringComparison.Ordinal);
        Assert.EndsWith("A static loss scale stays: make it smaller, or let LossScaling.Dynamic() find one.", message, StringComparison.Ordinal);

        message = Message(100_000);
        Assert.Contains("scaled by 1024, but without that the number would be 100000, too large as well.", message, StringComparison.Ordinal);
        Assert.EndsWith("in float32.", message, StringComparison.Ordinal);

        w.Gradient = null;

        // In float32, where no rounding tells by how much it was too large.
        AnomalyException exception = Assert.Throws<AnomalyException>(() => Traced(() => optimizer.Scale(((w - 0.999f) * 1e36f).Sum()).Backward()));
        Assert.Equal((1024d, null), (exception.Report!.LossScale, exception.Report.First.RoundedFrom));
        Assert.Contains("The loss was scaled by 1024, which may be why.", exception.Message, StringComparison.Ordinal);

        exception = Assert.Throws<AnomalyException>(() => Traced(() => optimizer.Scale((w * 1e36f * 10f).Sum()).Backward()));
        Assert.Contains("Scale made +∞ of 1E+37 and the number 1024", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_gradient_that_is_no_overflow_is_not_put_down_to_the_scale()
    {
        Tensor w = Tensor.Of([-1f]).WithGradient("w");
        Sgd optimizer = new([w]) { LossScaling = LossScaling.Dynamic() };
        w.Gradient = Tensor.Of([Infinity]);
        AnomalyReport report = Caught(() => optimizer.Scale(w.Square().Sum()).Backward());
        Assert.Equal("the gradient that 'w' had before this backward", report.First.HeldBy);
        Assert.DoesNotContain("The loss was scaled", report.ToString(), StringComparison.Ordinal);
    }

    /// <summary>A traced loop that goes on after an overflow of the scale trains to the bit as one that is not traced.</summary>
    [Fact]
    public void A_traced_training_goes_on_where_the_scale_falls()
    {
        (float[] plain, int overflows, int skipped) = Train(isTraced: false);
        Assert.Equal(0, overflows);
        Assert.InRange(skipped, 1, 15);
        (float[] traced, overflows, int skippedTraced) = Train(isTraced: true);
        Assert.Equal((skipped, skipped), (overflows, skippedTraced));
        Assert.Equal(plain, traced);
    }

    private static (float[] Weights, int Overflows, int Skipped) Train(bool isTraced)
    {
        Generator generator = new(1);
        Sequential model = new(new Linear(3, 8, generator: generator), new Tanh(), new Linear(8, 1, generator: generator));
        Tensor x = Tensor.Normal([16, 3], generator: generator);
        Tensor target = 10f * x.Sum([1], keepDimensions: true);
        Adam optimizer = new(model.Parameters, learningRate: 0.01) { LossScaling = LossScaling.Dynamic(1_048_576), NonFinite = NonFinitePolicy.SkipStep };
        int overflows = 0;
        for (int step = 0; step < 20; step++)
        {
            optimizer.ZeroGradients();
            using IDisposable? trace = isTraced ? Anomaly.Trace() : null;
            try
            {
                Tensor output = In(Precision.Half, () => model.Forward(x));
                optimizer.Scale(Loss.MeanSquare(output, target)).Backward();
            }
            catch (AnomalyException exception)
            {
                Assert.Contains("lowers the scale", exception.Message, StringComparison.Ordinal);
                Assert.Equal(optimizer.LossScale, exception.Report!.LossScale);
                overflows++;
            }

            optimizer.Step();
        }

        return ([.. model.Parameters.SelectMany(parameter => parameter.ToArray())], overflows, optimizer.SkippedSteps);
    }

    private static Tensor In(Precision precision, Func<Tensor> compute)
    {
        using EmulatedPrecision scope = new(precision);
        return compute();
    }
}
