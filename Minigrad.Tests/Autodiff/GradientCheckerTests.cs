using CsCheck;
using Minigrad.Autodiff;

namespace Minigrad.Tests.Autodiff;

/// <summary>The checker itself: it accepts right gradients and rejects gradients off by half a percent.</summary>
public sealed class GradientCheckerTests
{
    [Fact]
    public void Right_gradients_pass()
    {
        Tensor x = Tensor.Normal([3, 4], generator: new Generator(1));
        Tensor w = Tensor.Normal([5, 4], generator: new Generator(2));
        GradientReport report = GradientChecker.Check(inputs => inputs[0].Linear(inputs[1]).Tanh(), x, w);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(32, report.Compared);
    }

    [Fact]
    public void Rounding_inside_of_a_function_is_not_held_against_a_gradient()
    {
        // The mean is rounded as a number of the inputs' size; what is left of it after subtracting is much smaller.
        Generator generator = new(3);
        for (int trial = 0; trial < 200; trial++)
        {
            float first = 0.5f + generator.Next();
            Tensor x = Tensor.Of([first, first + (0.05f * generator.Next())], 1, 1, 2);
            GradientChecker.Check(inputs => inputs[0].BatchNorm(epsilon: 1f), x).ThrowIfFailed();
        }
    }

    [Theory]
    [InlineData(1.005f)]
    [InlineData(0.995f)]
    public void A_gradient_off_by_half_a_percent_is_rejected(float factor)
    {
        Gen.Int[1, 6].Select(Gen.Int[1, 6], Gen.ULong).Sample((rows, columns, seed) =>
        {
            // Where tanh has gone flat, half a percent of its slope is less than a unit of its value.
            Tensor x = Tensor.Uniform([rows, columns], -1f, 1f, new Generator(seed));
            return !GradientChecker.Check(inputs => WrongTanh(inputs[0], factor), x).Passed;
        }, iter: 200);
    }

    [Theory]
    [InlineData(1.005f)]
    [InlineData(0.995f)]
    public void A_large_gradient_off_by_half_a_percent_is_rejected(float factor)
    {
        Tensor x = Tensor.Normal([40, 50], generator: new Generator(1));
        Assert.True(GradientChecker.Check(inputs => inputs[0].Tanh(), x).Passed);
        Assert.False(GradientChecker.Check(inputs => WrongTanh(inputs[0], factor), x).Passed);
    }

    [Fact]
    public void One_wrong_element_is_found_and_named()
    {
        Tensor x = Tensor.Normal([4, 5], generator: new Generator(1));
        GradientReport report = GradientChecker.Check(
            inputs => Tensor.Custom("spoiled", [inputs[0]], () => inputs[0].Exp(), gradient => [SpoilOne(gradient * inputs[0].Detach().Exp())]), x);
        Assert.False(report.Passed);
        GradientException error = Assert.Throws<GradientException>(report.ThrowIfFailed);
        Assert.Contains("input 0[2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("differences of the function give", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kink_is_not_held_against_a_gradient()
    {
        Tensor x = Tensor.Of([-1f, 0f, 1e-4f, 2f]);
        Assert.True(GradientChecker.Check(inputs => inputs[0].Relu(), x).Passed);
    }

    [Theory]
    [InlineData(1e-4f)]
    [InlineData(1f)]
    [InlineData(1e4f)]
    public void A_kink_is_one_at_every_scale(float scale)
    {
        // The sides' slopes are those at the point only as far as the curve beside it is flat.
        Tensor x = Tensor.Of([-1f, 0f, 1e-4f, -1e-4f, 2f]);
        GradientReport report = GradientChecker.Check(inputs => scale * (inputs[0].Relu() * (inputs[0] + 1f)), x);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal((2, 3), (report.Compared, report.Skipped));
        Assert.Contains("2 comparisons, 3 elements passed over at kinks", report.ToString(), StringComparison.Ordinal);
        Assert.False(GradientChecker.Check(inputs => TimesSlope(scale * inputs[0].Relu(), 1.05f), x).Passed);
    }

    [Theory]
    [InlineData(3f)]
    [InlineData(-1f)]
    public void A_wrong_gradient_is_rejected_however_small_it_is(float factor)
    {
        GradientReport report = GradientChecker.Check(
            inputs => TimesSlope(inputs[0].Square(), factor).Mean(), Tensor.Normal([64], 0f, 0.01f, new Generator(1)));
        Assert.False(report.Passed, report.ToString());
        Assert.True(report.Compared > 32, report.ToString());
    }

    [Fact]
    public void A_check_that_could_compare_nothing_of_an_input_has_not_passed()
    {
        GradientReport report = GradientChecker.Check(inputs => inputs[0].Relu().Sum() + inputs[1].Sum(), Tensor.Zeros(3), Tensor.Ones(2));
        Assert.False(report.Passed);
        Assert.Equal((2, 3), (report.Compared, report.Skipped));
        string message = Assert.Throws<GradientException>(report.ThrowIfFailed).Message;
        Assert.Contains("FAILED: 2 comparisons, 3 elements passed over at kinks", message, StringComparison.Ordinal);
        Assert.Contains("Nothing of input 0 of shape [3] was compared", message, StringComparison.Ordinal);
        Assert.True(GradientChecker.Check(inputs => inputs[0].Sum() + inputs[1].Sum(), Tensor.Zeros(0), Tensor.Ones(2)).Passed);
        Assert.Equal("Gradient check: there was no element to compare.", GradientChecker.Check(inputs => inputs[0].Sum(), Tensor.Zeros(0)).ToString());
    }

    [Theory]
    [InlineData(140000f)]
    [InlineData(-140000f)]
    [InlineData(3e9f)]
    [InlineData(1e30f)]
    public void Large_inputs_are_moved_by_more(float value)
    {
        foreach (int count in new[] { 1, GradientChecker.ElementLimit + 1 })
        {
            // A large number beside ordinary ones does not have these moved further.
            float[] values = new float[count];
            values[0] = value;
            Tensor x = Tensor.Of(values);
            GradientReport report = GradientChecker.Check(inputs => inputs[0] * 2f, x);
            Assert.True(report.Passed, report.ToString());
            Assert.False(GradientChecker.Check(inputs => TimesSlope(inputs[0] * 2f, 1.1f), x).Passed);
            Assert.False(GradientChecker.Check(inputs => TimesSlope(inputs[0] * 2f, 0.9f), Tensor.Ones(count) * value).Passed);
        }
    }

    [Fact]
    public void An_input_below_a_thousand_is_moved_by_the_same_step_as_one()
    {
        // Of a wave as long as 2π a larger step would see the curve.
        foreach (float value in new[] { 1f, 100f, 1000f })
        {
            List<float> moved = [];
            GradientChecker.Check(inputs => Noted(inputs[0], moved).Sin(), Tensor.Of([value])).ThrowIfFailed();
            Assert.Equal([value, value, value + 4e-3f, value - 4e-3f], moved);
        }

        static Tensor Noted(Tensor x, List<float> seen)
        {
            seen.Add(x.ToArray()[0]);
            return x;
        }
    }

    [Fact]
    public void A_function_may_take_gradients_itself()
    {
        Tensor x = Tensor.Of([-1f, 0.5f, 2f]);
        Assert.True(GradientChecker.Check(inputs => Slope(inputs[0]), x).Passed);
        GradientReport report = GradientChecker.Check(inputs => TimesSlope(Slope(inputs[0]), 1.01f), x);
        Assert.False(report.Passed);
        Assert.Contains("input 0[", report.ToString(), StringComparison.Ordinal);

        static Tensor Slope(Tensor x) => Tensor.Gradients((x * x * x).Sum(), [x], createGraph: true)[0];
    }

    [Fact]
    public void A_result_without_a_way_back_is_refused_in_the_checkers_terms()
    {
        Tensor x = Tensor.Ones(3);
        string message = Assert.Throws<GradientException>(() => GradientChecker.Check(inputs => inputs[0].Greater(0f).Sum(), x)).Message;
        Assert.StartsWith("GradientChecker: the function's result of shape [] does not depend on its inputs through anything that has a gradient.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("WithGradient", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_that_gives_nothing_or_changes_its_shape_is_refused_in_words()
    {
        Tensor x = Tensor.Ones(3);
        int calls = 0;
        Assert.Contains("the function gave null", Fault(_ => null!), StringComparison.Ordinal);
        Assert.Contains("the function gave null", Fault(inputs => calls++ == 0 ? inputs[0].Exp() : null!), StringComparison.Ordinal);
        calls = 0;
        Assert.Contains("had shape [3] at first and has [6] now", Fault(inputs => calls++ < 2 ? inputs[0].Exp() : Tensor.Concatenate([inputs[0], inputs[0]])), StringComparison.Ordinal);
        calls = 0;
        Assert.Contains("had shape [3] at first and has [1, 3] now", Fault(inputs => calls++ < 1 ? inputs[0].Exp() : inputs[0].Exp().Reshape(1, 3)), StringComparison.Ordinal);
        string message = Assert.Throws<ArgumentException>(() => GradientChecker.Check(inputs => inputs[0].Exp(), x, null!)).Message;
        Assert.Contains("input 1 of 2 is null", message, StringComparison.Ordinal);

        string Fault(Func<IReadOnlyList<Tensor>, Tensor> function) => Assert.Throws<GradientException>(() => GradientChecker.Check(function, x)).Message;
    }

    [Fact]
    public void What_rounding_may_hide_follows_from_the_size_of_the_outputs()
    {
        // As the checker's documentation says: half a percent passes beside a sum of 500 squares, and not beside the squares.
        Tensor x = Tensor.Normal([500], generator: new Generator(1));
        Assert.True(GradientChecker.Check(inputs => TimesSlope(inputs[0].Square().Sum(), 1.005f), x).Passed);
        Assert.False(GradientChecker.Check(inputs => TimesSlope(inputs[0].Square(), 1.005f), x).Passed);
    }

    /// <summary>The same numbers with gradients that many times as large.</summary>
    private static Tensor TimesSlope(Tensor x, float factor) => (x * factor) - ((factor - 1f) * x.Detach());

    private static Tensor WrongTanh(Tensor x, float factor) =>
        Tensor.Custom("wrong", [x], () => x.Tanh(), gradient => [gradient * (factor * (1f - x.Detach().Tanh().Square()))]);

    private static Tensor SpoilOne(Tensor gradient)
    {
        float[] values = gradient.ToArray();
        values[13] *= 1.05f;
        return Tensor.Of(values, gradient.Shape);
    }
}
