using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Autodiff;

/// <summary>A gradient that is NaN or infinite although the result is not: the operation whose backward made it is named.</summary>
public sealed class AnomalyInBackwardTests
{
    private const float Infinity = float.PositiveInfinity;

    [Fact]
    public void A_slope_that_is_infinite()
    {
        Tensor x = Tensor.Of([4f, 0f]).WithGradient("x");
        AnomalyReport report = Caught(() => x.Sqrt().Sum().Backward());
        Assert.Equal(Here() - 1, report.First.Line);
        Assert.Equal(("SquareRoot", true, Infinity), (report.First.Operation, report.First.IsBackward, report.First.Value));
        Assert.StartsWith(
            "The gradient of 'x', of shape [2], is infinite. It began here: the backward of SquareRoot made +∞ of the gradient 1 where forward had 0 at [1]",
            report.ToString(), StringComparison.Ordinal);

        // All gradients are there before the error is thrown.
        Assert.Equal([0.25f, Infinity], x.Gradient!.ToArray());
    }

    [Fact]
    public void Zero_times_an_infinite_gradient()
    {
        Tensor x = Tensor.Zeros(3).WithGradient("x");
        AnomalyReport report = Caught(() => x.Square().Sum().Sqrt().Backward());
        Assert.Equal(["SquareRoot", "Square"], report.Sources.Select(source => source.Operation));
        Assert.All(report.Sources, source => Assert.True(source.IsBackward));
        Assert.Equal(["Sum"], report.PassedOnBy);
        Assert.Contains("Of that, the backward of Square made NaN of the gradient +∞ where forward had 0", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_infinity_masked_in_forward_is_told_when_its_gradient_is_NaN()
    {
        Tensor x = Tensor.Of([1f, 0f]).WithGradient("x");
        AnomalyReport report = Caught(() => Tensor.Where(x.Detach(), 1f / x, 0f).Sum().Backward());
        Assert.Equal([("Divide", false), ("Divide", true)], report.Sources.Select(source => (source.Operation, source.IsBackward)));
        Assert.Equal(Infinity, report.First.Value);
        Assert.Contains("the gradient 0 where forward had the number 1 and 0", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_that_overflow_when_added_up()
    {
        Tensor x = Tensor.Zeros(1).WithGradient("x");
        AnomalyReport report = Caught(() => ((x * 3e38f) - (x * -3e38f)).Sum().Backward());
        Assert.Contains("the gradients of 'x', added up, made +∞", report.ToString(), StringComparison.Ordinal);
        x.Gradient = null;
        Tensor y = x * 2f;
        report = Caught(() => ((y * 1.2e38f) + (y * 1.3e38f) + (y * 2e38f)).Sum().Backward());
        Assert.Contains("the gradients of the result of Multiply, added up, made +∞", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Second_order_names_the_line_of_the_forward_call()
    {
        // x^1.5 at 0: the first derivative is 0, the second infinite.
        Tensor x = Tensor.Of([0f, 1f]).WithGradient("x");
        int line = Here() + 3;
        AnomalyReport report = Caught(() =>
        {
            Tensor y = x.Pow(1.5f).Sum();
            Tensor slope = Tensor.Gradients(y, [x], createGraph: true)[0];
            slope.Sum().Backward();
        });
        Assert.True(report.First.IsBackward);
        Assert.Equal(line, report.First.Line);
        Assert.Contains("(in the backward of Power)", report.First.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_gradients_that_were_asked_for_count()
    {
        Tensor x = Tensor.Zeros(1).WithGradient("x");
        Tensor w = Tensor.Ones(1).WithGradient("w");
        using (Anomaly.Trace())
        {
            Assert.Equal([1f], Tensor.Gradients((x.Sqrt() + w).Sum(), [w])[0].ToArray());
        }

        Assert.Contains("'x'", Caught(() => Tensor.Gradients((x.Sqrt() + w).Sum(), [w, x])).ToString(), StringComparison.Ordinal);
        AnomalyReport report = Caught(() =>
        {
            Tensor inner = x.Sqrt();
            Tensor.Gradients(inner.Sqrt().Sum(), [inner]);
        });
        Assert.StartsWith("The gradient of the result of SquareRoot, of shape [1], is infinite", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_that_is_summed_up_over_a_broadcast_is_told_by_what_arrived()
    {
        Tensor x = Tensor.Zeros(2, 3).WithGradient("x");
        Tensor scale = Tensor.Full([3], 3e38f).WithGradient("scale");
        AnomalyReport report = Caught(() => (x * scale).Backward(Tensor.Full([2, 3], 3f)));
        Assert.Contains("the backward of Multiply made +∞ of the gradient 3 where forward had 0 and 3E+38 at [0, 0] (6 of 6", report.ToString(), StringComparison.Ordinal);

        // Each product is finite, and so is the gradient of each; the sum over the rows is not.
        using (new NoGrad())
        {
            x.Fill(2e38f);
            scale.Fill(0f);
        }

        x.Gradient = null;
        scale.Gradient = null;
        report = Caught(() => (x * scale).Backward(Tensor.Ones(2, 3)));
        Assert.StartsWith(
            "The gradient of 'scale', of shape [3], is infinite. It began here: the backward of Multiply made +∞ of a gradient of shape [2, 3] (largest magnitude 1) at [0]",
            report.ToString(), StringComparison.Ordinal);
    }
}
