using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Tests.Optimizers;

/// <summary>What would silently spoil parameters, or say nothing where something is wrong, is refused: what was asked, what was given, what to do.</summary>
public sealed class RefusedArgumentTests
{
    private readonly Tensor w = Tensor.Of([1f, 2f]).WithGradient("w");

    [Theory]
    [InlineData(-1e-6)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void An_epsilon_that_turns_gradients_round(double epsilon)
    {
        Teaches<ArgumentOutOfRangeException>(() => Clip.GlobalNorm(1, pyTorchEpsilon: epsilon), "Clip.GlobalNorm", "not negative", FormattableString.Invariant($"it is {epsilon}"), "1e-6");
        Teaches<ArgumentOutOfRangeException>(() => Clip.ParameterNorm(1, pyTorchEpsilon: epsilon), "Clip.ParameterNorm", "finite");
    }

    [Fact]
    public void Units_that_are_none()
    {
        Teaches<ArgumentOutOfRangeException>(() => Clip.UnitNorm(epsilon: 0), "Clip.UnitNorm", "it is 0", "1e-3");
        Teaches<ArgumentOutOfRangeException>(() => Clip.UnitNorm(epsilon: double.PositiveInfinity), "finite");
        Teaches<ArgumentOutOfRangeException>(() => Clip.UnitNorm(layout: (UnitLayout)7), "Rows or Columns", "7");
    }

    [Fact]
    public void Windows_that_no_memory_holds_and_warm_ups_that_never_end()
    {
        Teaches<ArgumentOutOfRangeException>(() => Threshold.Percentile(window: int.MaxValue), "window", "1000000", "2147483647");
        Teaches<ArgumentOutOfRangeException>(() => Threshold.MedianDeviation(window: 1_000_001), "window", "1000000", "1000001");
        Teaches<ArgumentOutOfRangeException>(() => Threshold.MedianDeviation(window: 20), "warmup", "at most the window, 20", "50");
        Teaches<ArgumentOutOfRangeException>(() => Threshold.Percentile(window: 10, warmup: 10), "warmup", "less than the window, 10");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Rates_of_a_group(double rate)
    {
        ParameterGroup group = new([w], "head");
        Teaches<ArgumentOutOfRangeException>(() => group.LearningRate = rate, "ParameterGroup 'head'.LearningRate", "not negative", $"it is {rate}", "null");
        Teaches<ArgumentOutOfRangeException>(() => group.WeightDecay = rate, "ParameterGroup 'head'.WeightDecay", $"it is {rate}");
        Assert.Equal((null, null), (group.LearningRate, group.WeightDecay));
        Teaches<ArgumentOutOfRangeException>(() => _ = new Sgd([w], 0.1, momentum: 0.9, dampening: double.NaN), "dampening", "finite", "NaN");
    }

    [Fact]
    public void Stages_that_are_null()
    {
        Sgd optimizer = new([w]);
        ParameterGroup group = new([w]);
        Teaches<ArgumentException>(() => optimizer.Clip = null!, "Sgd.Clip", "null", "Clip = []");
        Teaches<ArgumentException>(() => optimizer.Clip = [Clip.GlobalNorm(1), null!], "a stage that is null");
        Teaches<ArgumentException>(() => group.Clip = [null!], "ParameterGroup.Clip", "a stage that is null");
        group.Clip = null;
        Assert.Empty(optimizer.Clip);
    }

    [Fact]
    public void Policies_that_are_none()
    {
        Sgd optimizer = new([w]);
        Teaches<ArgumentOutOfRangeException>(() => optimizer.NonFinite = (NonFinitePolicy)9, "Sgd.NonFinite", "SkipStep", "9");
        Teaches<ArgumentOutOfRangeException>(() => optimizer.MaximumConsecutiveSkips = -1, "MaximumConsecutiveSkips", "-1");
        Assert.Equal((NonFinitePolicy.Throw, 100), (optimizer.NonFinite, optimizer.MaximumConsecutiveSkips));
    }

    [Fact]
    public void A_backward_after_unscaling()
    {
        Sgd optimizer = new([w]) { LossScaling = LossScaling.Dynamic() };
        optimizer.Scale(w.Square().Sum()).Backward();
        optimizer.Unscale();
        optimizer.Scale(w.Square().Sum()).Backward();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "different loss scales", "Unscale() after the last Backward()");
        Assert.Equal([1f, 2f], w.ToArray());
    }

    [Fact]
    public void A_monitor_of_another_model()
    {
        GradientMonitor monitor = new(new Linear(1, 1));
        w.Square().Sum().Backward();
        StepReport report = new Sgd([w]).Step();
        Teaches<ArgumentException>(() => monitor.Add(report), "step 1", "1 parameters", "new GradientMonitor(model)");
    }

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        string message = Assert.Throws<TException>(action).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}
