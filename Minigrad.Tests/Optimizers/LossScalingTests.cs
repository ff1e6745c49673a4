using System.Text.Json;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>Loss scaling in the step: exact, adaptive, part of the state, and not to be got in the wrong order.</summary>
public sealed class LossScalingTests
{
    private static readonly NonFinitePolicy[] Policies = Enum.GetValues<NonFinitePolicy>();

    public static TheoryData<string> Scalings => ["static", "dynamic"];

    [Theory]
    [MemberData(nameof(Scalings))]
    public void A_scale_that_is_a_power_of_two_changes_no_bit_of_a_training(string kind)
    {
        (float[] Weights, List<double> Norms) Train(LossScaling? scaling)
        {
            (Sequential model, Adam optimizer) = Model();
            optimizer.LossScaling = scaling;
            optimizer.Clip = [Clip.Value(0.05), Clip.GlobalNorm(0.1)];
            List<double> norms = [];
            for (int step = 0; step < 6; step++)
            {
                optimizer.ZeroGradients();
                optimizer.Scale(LossOf(model, step)).Backward();
                StepReport report = optimizer.Step();
                norms.AddRange([report.Norm, report.ClippedNorm, report.Coefficient]);
            }

            return ([.. model.Parameters.SelectMany(parameter => parameter.ToArray())], norms);
        }

        (float[] plain, List<double> norms) = Train(null);
        (float[] scaled, List<double> scaledNorms) = Train(Make(kind));
        Assert.Equal(plain, scaled);
        Assert.Equal(norms, scaledNorms);
    }

    [Fact]
    public void The_pipeline_clips_what_was_unscaled_whatever_order_it_is_set_up_in()
    {
        Optimizer[] optimizers =
        [
            new Sgd([Weight()], 1) { LossScaling = LossScaling.Static(65536), Clip = [Clip.GlobalNorm(1)] },
            new Sgd([Weight()], 1) { Clip = [Clip.GlobalNorm(1)], LossScaling = LossScaling.Dynamic() },
            new Sgd([new ParameterGroup([Weight()], "all") { Clip = [Clip.ParameterNorm(1)] }], 1) { LossScaling = LossScaling.Dynamic() },
        ];
        foreach (Optimizer optimizer in optimizers)
        {
            Tensor w = optimizer.Groups[0].Parameters[0];
            optimizer.Scale(0.5f * w.Square().Sum()).Backward();
            StepReport report = optimizer.Step();
            Assert.Equal(5, report.Norm, 1e-6);
            Assert.Equal(1, report.ClippedNorm, 1e-6);
            Assert.Equal(65536, report.LossScale);
            Assert.Equal(3f - 0.6f, w.ToArray()[0], 1e-6f);
        }
    }

    /// <summary>The order bug of many a training loop: under a scale of 65536 every gradient would be cut to a 65536th of the threshold.</summary>
    [Fact]
    public void Clipping_by_hand_before_unscaling_is_an_error_and_after_it_is_the_pipeline()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 1) { LossScaling = LossScaling.Static(65536) };
        optimizer.Scale(0.5f * w.Square().Sum()).Backward();
        Teaches<InvalidOperationException>(
            () => Clip.GlobalNorm(1).Apply([w]), "Clip.GlobalNorm(1).Apply", "'w'", "still multiplied by the scale", "optimizer.Clip = [...]", "optimizer.Unscale()");
        Teaches<InvalidOperationException>(() => Clip.Value(1).Apply([w]), "Clip.Value(1).Apply");
        Assert.Equal([3f * 65536, 4f * 65536], w.Gradient!.ToArray());

        optimizer.Unscale();
        Assert.Equal([3f, 4f], w.Gradient!.ToArray());
        optimizer.Unscale();
        Assert.Equal([3f, 4f], w.Gradient!.ToArray());
        Assert.Equal(5, Clip.GlobalNorm(1).Apply([w]), 1e-9);
        StepReport report = optimizer.Step();
        Assert.Equal(1, report.Norm, 1e-6);
        Assert.Equal(3f - 0.6f, w.ToArray()[0], 1e-6f);
    }

    [Fact]
    public void A_dynamic_scale_grows_after_good_steps_up_to_its_maximum()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 1e-3) { LossScaling = LossScaling.Dynamic(initial: 8, growthFactor: 4, growthInterval: 3, maximum: 100) };
        List<double> scales = [.. Enumerable.Range(0, 10).Select(_ => Step(optimizer, w).LossScale)];
        Assert.Equal([8, 8, 8, 32, 32, 32, 100, 100, 100, 100], scales);
        Assert.Equal(100, optimizer.LossScale);
    }

    [Fact]
    public void An_overflow_skips_the_step_whatever_the_policy_and_lowers_the_scale()
    {
        foreach (NonFinitePolicy policy in Policies)
        {
            Tensor w = Weight();
            Adam optimizer = new([w])
            {
                LossScaling = LossScaling.Dynamic(initial: 8, growthInterval: 3),
                NonFinite = policy,
                CheckInterval = 1,
                Clip = [Clip.GlobalNorm(1)],
            };
            Step(optimizer, w);
            Step(optimizer, w);
            float[] before = w.ToArray();
            OptimizerState state = optimizer.State();
            List<double> scales = [];
            for (int i = 1; i <= 5; i++)
            {
                StepReport report = Step(optimizer, w, i == 3 ? float.NaN : float.PositiveInfinity);
                Assert.True(report.WasSkipped && report.HasOverflowed, $"{policy}");
                Assert.Equal((3, i, i, 2), (report.Step, optimizer.SkippedSteps, optimizer.ConsecutiveSkips, optimizer.StepCount));
                Assert.Contains($"skipped, overflow under loss scale {report.LossScale}", report.ToString(), StringComparison.Ordinal);
                scales.Add(report.LossScale);
            }

            Assert.Equal([8, 4, 2, 1, 1], scales);
            Assert.Equal(before, w.ToArray());
            Assert.Equal(state.Parameters[0].Slots, optimizer.State().Parameters[0].Slots);

            // Good steps are counted anew after an overflow, and skips in a row are over.
            Assert.Equal([1, 1, 1, 2], [.. Enumerable.Range(0, 4).Select(_ => Step(optimizer, w).LossScale)]);
            Assert.Equal(0, optimizer.ConsecutiveSkips);
        }
    }

    [Fact]
    public void Under_a_static_scale_the_policy_decides()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 1) { LossScaling = LossScaling.Static(1024), CheckInterval = 1 };
        Assert.Throws<NonFiniteGradientException>(() => Step(optimizer, w, float.PositiveInfinity));
        optimizer.NonFinite = NonFinitePolicy.SkipStep;
        StepReport report = Step(optimizer, w, float.PositiveInfinity);
        Assert.Equal((true, false, 1024), (report.WasSkipped, report.HasOverflowed, report.LossScale));
        optimizer.NonFinite = NonFinitePolicy.ZeroBadValues;
        Assert.Equal(1, Step(optimizer, w, float.PositiveInfinity).Norm, 1e-9);
    }

    [Fact]
    public void A_gradient_too_large_to_square_is_no_overflow_of_the_scale()
    {
        Tensor w = Weight();
        Adam optimizer = new([w]) { LossScaling = LossScaling.Dynamic(initial: 2), CheckInterval = 1 };
        Assert.Throws<NonFiniteGradientException>(() => Step(optimizer, w, 1e25f));
        optimizer.NonFinite = NonFinitePolicy.SkipStep;
        StepReport report = Step(optimizer, w, 1e25f);
        Assert.Equal((true, false, 2), (report.WasSkipped, report.HasOverflowed, optimizer.LossScale));
        optimizer.NonFinite = NonFinitePolicy.ZeroBadValues;
        Assert.False(Step(optimizer, w, 1e25f).WasSkipped);
    }

    [Fact]
    public void A_step_that_is_skipped_for_its_size_ends_a_row_of_good_steps()
    {
        Tensor w = Weight();
        Adam optimizer = new([w]) { LossScaling = LossScaling.Dynamic(initial: 8, growthInterval: 2), NonFinite = NonFinitePolicy.SkipStep, CheckInterval = 1 };
        List<double> scales = [];
        foreach (float slope in (float[])[1f, 1e20f, 1f, 1e20f, 1f, 1f])
        {
            Step(optimizer, w, slope);
            scales.Add(optimizer.LossScale);
        }

        Assert.Equal([8, 8, 8, 8, 8, 16], scales);
        Assert.Equal(2, optimizer.SkippedSteps);
    }

    [Fact]
    public void Gradients_that_stay_bad_end_the_training_and_the_message_says_it_is_not_the_scale()
    {
        Tensor w = Weight();
        Adam optimizer = new([w]) { LossScaling = LossScaling.Dynamic(), MaximumConsecutiveSkips = 2, CheckInterval = 1 };
        Step(optimizer, w, float.NaN);
        Step(optimizer, w, float.NaN);
        Teaches<InvalidOperationException>(
            () => Step(optimizer, w, float.NaN), "3 steps in a row", "not the scale", "LossScaling = null", "NonFinitePolicy.Throw");
        Assert.Equal(8192, optimizer.LossScale);
    }

    [Fact]
    public void Parts_of_a_batch_and_several_losses_add_up_before_one_step()
    {
        Tensor Gradient(LossScaling? scaling, bool inParts)
        {
            Tensor w = Weight();
            Sgd optimizer = new([w], 1) { LossScaling = scaling, AccumulationCount = inParts ? 2 : 1 };
            if (inParts)
            {
                optimizer.Scale(w.Square().Sum()).Backward();
                optimizer.Scale(3f * w.Sum()).Backward();
            }
            else
            {
                optimizer.Scale(0.5f * (w.Square().Sum() + (3f * w.Sum()))).Backward();
            }

            StepReport report = optimizer.Step();
            Assert.Equal(Math.Sqrt((4.5 * 4.5) + (5.5 * 5.5)), report.Norm, 1e-6);
            return w;
        }

        float[] expected = Gradient(null, inParts: false).ToArray();
        Assert.Equal(expected, Gradient(null, inParts: true).ToArray());
        Assert.Equal(expected, Gradient(LossScaling.Static(256), inParts: true).ToArray());
        Assert.Equal(expected, Gradient(LossScaling.Dynamic(), inParts: true).ToArray());
        Assert.Equal(expected, Gradient(LossScaling.Dynamic(), inParts: false).ToArray());
    }

    [Fact]
    public void Two_optimizers_over_one_loss_share_a_static_scale_and_nothing_else()
    {
        (Tensor a, Tensor b) = (Weight("a"), Weight("b"));
        Sgd first = new([a], 1) { LossScaling = LossScaling.Static(512) };
        Sgd second = new([b], 0.5) { LossScaling = LossScaling.Static(512) };
        first.Scale((a * b).Sum()).Backward();
        Assert.Equal(5, first.Step().Norm, 1e-9);
        Assert.Equal(5, second.Step().Norm, 1e-9);
        Assert.Equal([1.5f, 2f], b.ToArray());

        foreach (LossScaling? other in new[] { null, LossScaling.Static(1), LossScaling.Dynamic(initial: 512) })
        {
            (a.Gradient, b.Gradient) = (null, null);
            second.LossScaling = other;
            first.Scale((a * b).Sum()).Backward();
            first.Step();
            Teaches<InvalidOperationException>(
                () => second.Step(), "Sgd.Step(): the gradient of 'b' was scaled by 512", $"LossScaling is {(object?)other ?? "null"}", "the same LossScaling.Static", "two ParameterGroups");
        }

        (first.LossScaling, second.LossScaling) = (LossScaling.Dynamic(), LossScaling.Dynamic());
        (a.Gradient, b.Gradient) = (null, null);
        first.Scale((a * b).Sum()).Backward();
        first.Step();
        Teaches<InvalidOperationException>(() => second.Step(), "'b' was scaled by another optimizer, whose scale changes by itself", "ZeroGradients()");

        // A loss of each, as in an adversarial pair: the other's gradients are forgotten before.
        first.ZeroGradients();
        second.ZeroGradients();
        second.Scale((a * b).Sum()).Backward();
        second.Step();
        first.ZeroGradients();
        first.Scale((a * b).Sum()).Backward();
        first.Step();
    }

    [Fact]
    public void Gradients_that_no_scale_is_known_of_are_refused()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 1) { LossScaling = LossScaling.Static(1024) };
        (1024f * w.Square().Sum()).Backward();
        Teaches<InvalidOperationException>(
            () => optimizer.Step(), "Sgd.Step(): the gradient of 'w' is not of a loss that this optimizer scaled", "LossScaling is Static(1024)", "optimizer.Scale(loss).Backward()", "leave LossScaling null");
        Teaches<InvalidOperationException>(() => optimizer.Unscale(), "Sgd.Unscale(): the gradient of 'w'");
        w.Gradient = Tensor.Ones(2);
        Teaches<InvalidOperationException>(() => optimizer.Step(), "is not of a loss");

        // A scaled and an unscaled loss, one after another.
        w.Gradient = null;
        optimizer.Scale(w.Square().Sum()).Backward();
        w.Square().Sum().Backward();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "is a sum of gradients under different loss scales", "Scale");
        Teaches<InvalidOperationException>(() => Clip.Value(1).Apply([w]), "still multiplied");

        // And one in the graph of the other.
        Teaches<GradientException>(() => (optimizer.Scale(w.Sum()) + w.Square().Sum()).Backward(), "scaled in part, or twice", "optimizer.Scale(first + second)");
        Teaches<GradientException>(() => optimizer.Scale(optimizer.Scale(w.Sum())).Backward(), "twice");
        Assert.Equal(3f, w.ToArray()[0]);
    }

    [Fact]
    public void Gradients_left_over_from_the_step_before_are_refused_where_the_scale_may_have_changed()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 0.1) { LossScaling = LossScaling.Dynamic() };
        optimizer.Scale(w.Square().Sum()).Backward();
        optimizer.Step();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "scaled before an earlier Step()", "ZeroGradients() after each Step()");
        optimizer.Scale(w.Square().Sum()).Backward();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "different loss scales");
        optimizer.ZeroGradients();
        optimizer.Scale(w.Square().Sum()).Backward();
        optimizer.LossScaling = LossScaling.Dynamic();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "before LossScaling was set");
        Step(optimizer, w);
    }

    /// <summary>A norm after a bound is of a copy, so the next step, and Unscale, find what backward left.</summary>
    [Fact]
    public void A_stage_that_writes_leaves_the_gradient_as_backward_left_it()
    {
        Tensor v = Tensor.Of([0f, 0f]).WithGradient("v");
        Sgd optimizer = new([v], 1) { LossScaling = LossScaling.Static(8), Clip = [Clip.Value(2), Clip.GlobalNorm(1000)] };
        optimizer.Scale((v * Tensor.Of([4f, 0.5f])).Sum()).Backward();
        Assert.Equal(Math.Sqrt(4.25), optimizer.Step().ClippedNorm, 1e-6);
        optimizer.Step();
        Assert.Equal([-4f, -1f], v.ToArray());
        Assert.Equal([32f, 4f], v.Gradient!.ToArray());
        optimizer.Unscale();
        optimizer.Step();
        Assert.Equal([-6f, -1.5f], v.ToArray());
        Assert.Equal([4f, 0.5f], v.Gradient!.ToArray());
    }

    [Fact]
    public void Backward_after_Unscale_adds_to_some_gradients_only_and_is_refused()
    {
        (Tensor a, Tensor b) = (Weight("a"), Weight("b"));
        Sgd optimizer = new([a, b], 0.1) { LossScaling = LossScaling.Static(4) };
        optimizer.Scale(a.Square().Sum()).Backward();
        optimizer.Unscale();
        optimizer.Scale(b.Square().Sum()).Backward();
        Teaches<InvalidOperationException>(() => optimizer.Step(), "1 of 2 gradients were divided", "Unscale() after the last Backward()");
        optimizer.Unscale();

        // What was not scaled may be added to what is no longer.
        (0.5f * (a.Sum() + b.Sum())).Backward();
        Assert.Equal(Math.Sqrt(2 * ((6.5 * 6.5) + (8.5 * 8.5))), optimizer.Step().Norm, 1e-6);
    }

    [Fact]
    public void Without_LossScaling_nothing_is_scaled_and_the_loop_is_the_same()
    {
        Tensor w = Weight();
        Sgd optimizer = new([w], 0.1);
        Tensor loss = w.Square().Sum();
        Assert.Same(loss, optimizer.Scale(loss));
        optimizer.Scale(loss).Backward();
        optimizer.Unscale();
        Clip.GlobalNorm(100).Apply([w]);
        StepReport report = optimizer.Step();
        Assert.Equal((1, 10, false), (report.LossScale, report.Norm, report.HasOverflowed));
        Assert.Null(optimizer.State().LossScale);
    }

    [Fact]
    public void The_scale_and_its_count_are_part_of_the_state()
    {
        Adam Make(Tensor w) => new([w]) { LossScaling = LossScaling.Dynamic(initial: 16, growthInterval: 3) };
        Tensor w = Weight();
        Adam optimizer = Make(w);
        Step(optimizer, w, float.PositiveInfinity);
        Step(optimizer, w);
        Step(optimizer, w);
        OptimizerState state = optimizer.State();
        Assert.Equal(new LossScaleState(8, 2), state.LossScale);
        string json = JsonSerializer.Serialize(state);
        Tensor other = w.Clone().Detach().WithGradient("w");
        Adam resumed = Make(other);
        Step(resumed, other, float.PositiveInfinity);
        using (new NoGrad())
        {
            other.Assign(w);
        }

        resumed.Restore(JsonSerializer.Deserialize<OptimizerState>(json)!);
        foreach (float last in (float[])[1f, 2f, float.NaN, 3f])
        {
            Assert.Equal(Step(optimizer, w, last).LossScale, Step(resumed, other, last).LossScale);
            Assert.Equal(w.ToArray(), other.ToArray());
        }

        Assert.Equal(8, resumed.LossScale);
        Assert.Equal(optimizer.State().LossScale, resumed.State().LossScale);

        // A state of a training without a scale begins at the initial one; one that cannot be is refused.
        resumed.Restore(state with { LossScale = null });
        Assert.Equal(16, resumed.LossScale);
        Teaches<ArgumentException>(() => resumed.Restore(state with { LossScale = new LossScaleState(0.5, 1) }), "loss scale of 0.5", "at least 1");
    }

    [Fact]
    public void A_finder_of_rates_leaves_scaled_gradients_as_they_were()
    {
        (Sequential model, Adam optimizer) = Model();
        optimizer.LossScaling = LossScaling.Dynamic();
        optimizer.Scale(LossOf(model, 0)).Backward();
        LearningRateFinder.Run(model, optimizer, () => LossOf(model, 1), minimum: 1e-6, maximum: 1e-4, steps: 10);
        Assert.Equal(0, optimizer.StepCount);
        Assert.Equal(65536, optimizer.Step().LossScale);
        optimizer.ZeroGradients();
        optimizer.Scale(LossOf(model, 0)).Backward();
        optimizer.Step();
    }

    [Fact]
    public void Numbers_that_make_no_sense_are_refused()
    {
        foreach (double scale in (double[])[0, -1, double.NaN, double.PositiveInfinity, 1e39, 1e-50])
        {
            Teaches<ArgumentOutOfRangeException>(() => LossScaling.Static(scale), "LossScaling.Static: scale must be a positive finite float32");
        }

        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(initial: 0.5), "LossScaling.Dynamic: initial must be at least 1", "0.5");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(growthFactor: 1), "growthFactor must be finite and above 1");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(growthFactor: double.NaN), "growthFactor");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(backoffFactor: 1), "backoffFactor must be between 0 and 1");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(backoffFactor: 0), "backoffFactor");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(growthInterval: 0), "growthInterval must be at least 1");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(maximum: 1024), "maximum must be", "initial scale, 65536");
        Teaches<ArgumentOutOfRangeException>(() => LossScaling.Dynamic(maximum: double.PositiveInfinity), "maximum");
        Assert.Equal("Static(1024)", LossScaling.Static(1024).ToString());
        Assert.Equal("Dynamic(65536, growth 2 after 2000 steps, backoff 0.5, maximum 16777216)", LossScaling.Dynamic().ToString());
        Assert.True(LossScaling.Dynamic().IsDynamic);
        Assert.Equal((false, 0.1f), (LossScaling.Static(0.1).IsDynamic, LossScaling.Static(0.1).Initial));
    }

    /// <summary>A step from the gradients (1, last), through a loss that has them.</summary>
    internal static StepReport Step(Optimizer optimizer, Tensor weight, float last = 2f)
    {
        optimizer.ZeroGradients();
        Tensor slopes = Tensor.Of([1f, last]).To(weight.Backend);
        optimizer.Scale((weight * slopes).Sum()).Backward();
        return optimizer.Step();
    }

    private static LossScaling Make(string kind) =>
        kind == "static" ? LossScaling.Static(4096) : LossScaling.Dynamic(initial: 4096, growthInterval: 2);

    private static Tensor Weight(string name = "w") => Tensor.Of([3f, 4f]).WithGradient(name);

    private static (Sequential Model, Adam Optimizer) Model()
    {
        Generator generator = new(11);
        Sequential model = new(new Linear(5, 8, generator: generator), new Tanh(), new Linear(8, 2, generator: generator));
        return (model, new Adam(model.Parameters, 0.01));
    }

    private static Tensor LossOf(Sequential model, int step)
    {
        Generator generator = new(100 + (ulong)step);
        Tensor x = Tensor.Normal([16, 5], generator: generator);
        return Loss.MeanSquare(model.Forward(x), x.Slice(1, 0, 2, 1).Detach());
    }

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
