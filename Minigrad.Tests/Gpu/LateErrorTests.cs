using Minigrad.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// When the host learns what a step on the device met, and that nothing moves until then: the device itself withholds
/// updates, and counts what a withheld step must not advance.
/// </summary>
public sealed class LateErrorTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    [Fact]
    public void An_error_arrives_after_the_interval_and_no_step_after_the_bad_one_was_made()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        optimizer.CheckInterval = 4;
        Step(optimizer, weight, 1f);
        optimizer.Check();
        float[] before = weight.ToArray();

        Step(optimizer, weight, float.NaN);
        Step(optimizer, weight, 2f);
        Step(optimizer, weight, 3f);
        Assert.Equal(before, weight.ToArray());
        string message = Assert.Throws<NonFiniteGradientException>(() => Step(optimizer, weight, 4f)).Message;
        Assert.Contains("step 2", message, StringComparison.Ordinal);
        Assert.Contains("'w' has NaN at [1], and 1 bad of 2 elements", message, StringComparison.Ordinal);
        Assert.Contains("Seen 3 steps later, none of which was made", message, StringComparison.Ordinal);
        Assert.Contains("CheckInterval", message, StringComparison.Ordinal);
        Assert.Equal(before, weight.ToArray());
        Assert.Equal(1, optimizer.StepCount);

        // Once thrown it is over: the next step is the second.
        Assert.Equal(2, Step(optimizer, weight, 1f).Step);
        Assert.NotEqual(before, weight.ToArray());
        optimizer.Check();
        Assert.Equal(2, optimizer.StepCount);
    }

    [Fact]
    public void With_an_interval_of_1_the_bad_step_itself_throws()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        optimizer.CheckInterval = 1;
        Step(optimizer, weight, 1f);
        string message = Assert.Throws<NonFiniteGradientException>(() => Step(optimizer, weight, float.PositiveInfinity)).Message;
        Assert.DoesNotContain("later", message, StringComparison.Ordinal);
        Step(optimizer, weight, 1f);
        Assert.Equal(2, optimizer.StepCount);
    }

    [Fact]
    public void Check_asks_at_once_and_throws_once()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        optimizer.Check();
        Step(optimizer, weight, float.NaN);
        Assert.Throws<NonFiniteGradientException>(optimizer.Check);
        optimizer.Check();
        Assert.Equal(0, optimizer.StepCount);
    }

    [Fact]
    public void What_reading_a_report_finds_is_thrown_by_the_next_step_which_is_not_made()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        StepReport report = Step(optimizer, weight, float.NaN);
        Assert.True(double.IsNaN(report.Norm));
        float[] before = weight.ToArray();
        Assert.Throws<NonFiniteGradientException>(() => Step(optimizer, weight, 1f));
        Assert.Equal(before, weight.ToArray());
        Assert.Equal(1, Step(optimizer, weight, 1f).Step);
    }

    [Fact]
    public void A_second_bad_step_is_thrown_after_the_first_was()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        Step(optimizer, weight, float.NaN);
        Step(optimizer, weight, float.NaN);
        Assert.Throws<NonFiniteGradientException>(optimizer.Check);
        Step(optimizer, weight, float.NegativeInfinity);
        string message = Assert.Throws<NonFiniteGradientException>(optimizer.Check).Message;
        Assert.Contains($"'w' has {float.NegativeInfinity} at [1]", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("momentum")]
    [InlineData("adam")]
    [InlineData("amsgrad")]
    [InlineData("nadam")]
    [InlineData("radam")]
    [InlineData("adagrad")]
    public void A_skipped_step_leaves_no_trace_in_any_bit(string kind)
    {
        (Tensor weight, Optimizer optimizer) = Make(kind);
        (Tensor other, Optimizer undisturbed) = Make(kind);
        for (int step = 1; step <= 5; step++)
        {
            Step(optimizer, weight, float.NaN);
            StepReport report = Step(optimizer, weight, step);
            StepReport expected = Step(undisturbed, other, step);
            Assert.Equal((expected.Step, expected.Norm, expected.Coefficient), (report.Step, report.Norm, report.Coefficient));
            Assert.Equal(other.ToArray(), weight.ToArray());
        }

        Assert.Equal((5, 5, 0), (optimizer.StepCount, optimizer.SkippedSteps, optimizer.ConsecutiveSkips));
        Assert.Equal(undisturbed.State().Parameters[0].Step, optimizer.State().Parameters[0].Step);
        Assert.Equal(undisturbed.State().Parameters[0].Slots, optimizer.State().Parameters[0].Slots);
    }

    [Fact]
    public void Too_many_skipped_steps_in_a_row_are_an_error()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.SkipStep);
        optimizer.MaximumConsecutiveSkips = 2;
        optimizer.CheckInterval = 1;
        Step(optimizer, weight, float.NaN);
        Step(optimizer, weight, float.NaN);
        string message = Assert.Throws<InvalidOperationException>(() => Step(optimizer, weight, float.NaN)).Message;
        Assert.Contains("3 steps in a row", message, StringComparison.Ordinal);
        Assert.Contains("MaximumConsecutiveSkips = 2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reports_of_the_last_64_steps_can_be_read_and_older_ones_say_why_not()
    {
        (Tensor weight, Adam optimizer) = Make(NonFinitePolicy.Throw);
        List<StepReport> reports = [.. Enumerable.Range(0, 65).Select(step => Step(optimizer, weight, step))];
        for (int step = 1; step < 65; step++)
        {
            Assert.Equal(step + 1, reports[step].Step);
            Assert.Equal(Math.Sqrt(1 + (step * step)), reports[step].Norm, 1e-9);
        }

        string message = Assert.Throws<InvalidOperationException>(() => reports[0].Norm).Message;
        Assert.Contains("64 steps later", message, StringComparison.Ordinal);
        Assert.Contains("keeps the last 64", message, StringComparison.Ordinal);
        Assert.Contains("CheckInterval = 1", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void An_interval_that_no_record_reaches_is_refused(int interval)
    {
        (_, Adam optimizer) = Make(NonFinitePolicy.Throw);
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.CheckInterval = interval).Message;
        Assert.Contains("from 1 to 64", message, StringComparison.Ordinal);
        Assert.Contains($"it is {interval}", message, StringComparison.Ordinal);
    }

    private static StepReport Step(Optimizer optimizer, Tensor weight, float last)
    {
        weight.Gradient = Tensor.Of([1f, last]).To(weight.Backend);
        return optimizer.Step();
    }

    private Tensor Weight() => Tensor.Of([1f, 2f]).To(fixture.Backend).WithGradient("w");

    private (Tensor Weight, Adam Optimizer) Make(NonFinitePolicy policy)
    {
        Tensor weight = Weight();
        return (weight, new Adam([weight], 0.1) { NonFinite = policy });
    }

    private (Tensor Weight, Optimizer Optimizer) Make(string kind)
    {
        Tensor weight = Weight();
        Optimizer optimizer = Tests.Optimizers.OptimizerTests.Make(kind, [weight]);
        optimizer.NonFinite = NonFinitePolicy.SkipStep;
        optimizer.Clip = [Clip.GlobalNorm(2)];
        return (weight, optimizer);
    }
}
