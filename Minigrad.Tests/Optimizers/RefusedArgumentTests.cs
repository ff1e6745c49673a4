using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
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
    public void Models_and_losses_that_are_null()
    {
        Teaches<ArgumentException>(() => _ = new GradientMonitor(new Linear(1, 1), null!), "GradientMonitor", "model 1 of 2", "null");
        PerExampleClip clip = new(Threshold.Percentile(50));
        Teaches<ArgumentException>(() => clip.Backward([w], 2, example => example == 0 ? w.Sum() : null!), "PerExampleClip.Backward", "example 1", "null");
        Assert.Null(w.Gradient);
        Assert.Equal(0, clip.State().Asked);
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
    public void Schedules_of_thresholds_that_have_ended()
    {
        Sgd optimizer = new([w]) { Clip = [Clip.GlobalNorm(Schedule.OneCycle(1, length: 4, riseShare: 0.5))] };
        ClipStage byHand = Clip.GlobalNorm(Schedule.OneCycle(1, length: 4, riseShare: 0.5));
        w.Gradient = Tensor.Ones(2);
        for (int step = 0; step < 5; step++)
        {
            optimizer.Step();
            byHand.Apply([w]);
        }

        Teaches<ArgumentOutOfRangeException>(() => optimizer.Step(), "Schedule.OneCycle was made for 4 steps");
        Teaches<ArgumentOutOfRangeException>(() => byHand.Apply([w]), "Schedule.OneCycle was made for 4 steps");
    }

    [Fact]
    public void Stages_that_remember_and_are_listed_twice()
    {
        ClipStage stage = Clip.GlobalNorm(Threshold.Percentile());
        Sgd optimizer = new([w]);
        OptimizerState state = optimizer.State();
        optimizer.Clip = [stage, stage];
        Teaches<InvalidOperationException>(() => optimizer.State(), "listed twice", "Make a stage for each");
        Teaches<InvalidOperationException>(() => optimizer.Restore(state), "listed twice");
    }

    [Fact]
    public void Factors_orders_and_bounds_that_are_no_numbers()
    {
        foreach (double factor in (double[])[-1, double.NaN, double.PositiveInfinity])
        {
            Teaches<ArgumentOutOfRangeException>(() => Schedule.Exponential(1, factor), "Schedule.Exponential: factor", "finite and not negative");
            Teaches<ArgumentOutOfRangeException>(() => Schedule.Steps(1, 2, factor), "Schedule.Steps: factor", "finite and not negative");
            Teaches<ArgumentOutOfRangeException>(() => Schedule.MultiStep(1, [2], factor), "Schedule.MultiStep: factor", "finite and not negative");
        }

        Teaches<ArgumentOutOfRangeException>(() => LikePyTorch.ClipGradNorm(1, 0.05), "at least 0.1");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.StableAdamW(1e-19), "at least 1.1e-19");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.StableAdamW(double.PositiveInfinity), "epsilon");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(0.1, 1e-46), "absolute bound");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(0.1, double.PositiveInfinity), "absolute bound");
        Teaches<ArgumentOutOfRangeException>(() => UpdateClip.Clippy(double.PositiveInfinity), "relative bound");
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
