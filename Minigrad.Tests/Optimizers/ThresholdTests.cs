using System.Text.Json;
using CsCheck;
using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>
/// Thresholds that change: each rule by values worked out by hand and against its formula over plain lists, what may enter a
/// history, what is saved, and what is refused.
/// </summary>
public sealed class ThresholdTests
{
    private static readonly Gen<double[]> Norms = Gen.OneOf(Gen.Double[0.1, 10], Gen.OneOfConst(1.0, 1.0, 2.0, 50.0)).Array[1, 40];

    public static TheoryData<string> StageNames => [.. StageKinds.Stages.Keys];

    public static TheoryData<string> ThresholdNames => [.. StageKinds.Thresholds.Keys];

    [Fact]
    public void Percentile_is_of_the_last_norms_this_one_among_them()
    {
        // {1}, {1, 2}, {1, 2, 3}, {1, 2, 3, 4}, then the last four: {2, 3, 4, 9}, {3, 4, 9, 0.5}.
        AssertThresholds(Threshold.Percentile(50, window: 4), [1, 2, 3, 4, 9, 0.5], [1, 1.5, 2, 2.5, 3.5, 3.5]);

        // Rank 0.1 · (N − 1) between the two smallest.
        AssertThresholds(Threshold.Percentile(10), [4, 2, 8], [4, 2 + (0.1 * 2), 2 + (0.2 * 2)]);
        AssertThresholds(Threshold.Percentile(0), [4, 2, 8], [4, 2, 2]);
        AssertThresholds(Threshold.Percentile(100), [4, 2, 8], [4, 4, 8]);
    }

    [Fact]
    public void Percentile_keeps_norms_as_they_were_before_clipping() =>
        AssertThresholds(Threshold.Percentile(0, window: 2), [1, 4, 4], [1, 1, 4]);

    [Fact]
    public void ZScore_clips_spikes_nearer_to_the_mean_the_farther_out_they_are()
    {
        // Warm-up {1, 3}: μ = 2, σ = 1. Then 4 is z = 2, no spike: the threshold is where one begins. 10 is z = 8.
        const double epsilon = 1e-6;
        double first = 2 + (2.5 * (1 + epsilon));
        AssertThresholds(
            Threshold.ZScore(warmup: 2), [1, 3, 4], [double.PositiveInfinity, double.PositiveInfinity, first]);
        double spike = 2 + (2.5 / (8 / (1 + epsilon) / 2.5));
        AssertThresholds(
            Threshold.ZScore(warmup: 2), [1, 3, 10], [double.PositiveInfinity, double.PositiveInfinity, spike]);

        // The threshold's distance from the mean, not the threshold, is what z₀ multiplies: twice the norms, twice the threshold.
        AssertThresholds(
            Threshold.ZScore(warmup: 2, epsilon: 2 * epsilon),
            [2, 6, 20],
            [double.PositiveInfinity, double.PositiveInfinity, 2 * spike]);
    }

    [Fact]
    public void ZScore_follows_the_clipped_norms()
    {
        // α = ½. After the spike of 10, clipped to μ = 2 itself: μ = 2, σ² = ½ · 1 + ½ · 0. Then μ + 1 · σ.
        AssertThresholds(
            Threshold.ZScore(1, SpikeTarget.Mean, decay: 0.5, warmup: 2, epsilon: 1e-12),
            [1, 3, 10, 2],
            [double.PositiveInfinity, double.PositiveInfinity, 2, 2 + Math.Sqrt(0.5)]);

        // Clipped to μ + σ = 3: μ = 2.5, σ² = ½ + ½ · 0.5² = 0.625.
        AssertThresholds(
            Threshold.ZScore(1, SpikeTarget.Limit, decay: 0.5, warmup: 2),
            [1, 3, 10, 2],
            [double.PositiveInfinity, double.PositiveInfinity, 3, 2.5 + Math.Sqrt(0.625)]);
    }

    [Fact]
    public void ZScores_maximum_is_in_force_from_the_first_step_and_no_part_of_the_means()
    {
        // Had the mean followed norms clipped to 0.5, the fourth threshold would be below 0.5.
        AssertThresholds(
            Threshold.ZScore(1, SpikeTarget.Limit, decay: 0.5, warmup: 2, maximum: 2.75),
            [1, 3, 10, 2],
            [2.75, 2.75, 2.75, 2.75]);
        AssertThresholds(
            Threshold.ZScore(1, SpikeTarget.Limit, decay: 0.5, warmup: 2, maximum: 3.2),
            [1, 3, 10, 2],
            [3.2, 3.2, 3, 3.2]);
    }

    [Fact]
    public void MovingAverage_follows_the_clipped_norm_of_each_parameter_after_a_warm_up_that_clips_all_together()
    {
        // Norms (3, 4), together 5: clipped to 1 they are (0.6, 0.8). Then (0.3, 0.4), together 0.5, stay: γ = (0.3, 0.4).
        // Then λ · γ = (0.6, 0.8) of norms (0.5, 8): γ = ½ · (0.3, 0.4) + ½ · (0.5, 0.8), so 2 · γ = (0.8, 1.2).
        Tensor[] parameters = [WithGradient(3), WithGradient(4)];
        Sgd optimizer = new(parameters, learningRate: 0)
        {
            Clip = [Clip.ParameterNorm(Threshold.MovingAverage(2, absolute: 1, decay: 0.5, warmup: 2))],
        };
        Assert.Equal(0.2, Step(optimizer, 3, 4).Coefficient, 1e-12);
        StageReport second = Step(optimizer, 0.3f, 0.4f);
        Assert.Equal((1.0, false), (second.Coefficient, second.Acted));
        StageReport third = Step(optimizer, 0.5f, 8f);
        Assert.Equal(0.1, third.Coefficient, 1e-7);
        Assert.Equal(0.6, third.Threshold, 1e-7);
        Assert.Equal(8, third.Norm);
        Assert.Equal(0.8, Step(optimizer, 0.1f, 0.1f).Threshold, 1e-7);
    }

    [Fact]
    public void MovingAverages_warm_up_takes_the_root_of_the_sum_of_squares()
    {
        // A sum of squares of 25 in place of the norm of 5 would clip to a fifth of what is due.
        Tensor[] parameters = [WithGradient(3), WithGradient(4)];
        Clip.ParameterNorm(Threshold.MovingAverage()).Apply(parameters);
        Assert.Equal(0.6f, parameters[0].Gradient!.Item(), 1e-7f);
        Assert.Equal(0.8f, parameters[1].Gradient!.Item(), 1e-7f);
    }

    [Fact]
    public void StreamingQuantile_shrinks_when_a_norm_is_not_above_it_and_else_grows()
    {
        double shrink = Math.Exp(-0.2 * 0.75);
        double grow = Math.Exp(0.2 * 0.25);
        AssertThresholds(
            Threshold.StreamingQuantile(0.25, initial: 2), [1, 1, 8, 8, 2], [2, 2 * shrink, 2 * shrink * shrink, 2 * shrink * shrink * grow, 2 * shrink * shrink * grow * grow]);
        AssertThresholds(Threshold.StreamingQuantile(0.25, initial: 2), [2, 2], [2, 2 * shrink]);
        AssertThresholds(Threshold.StreamingQuantile(0.5, initial: 2, minimum: 1.9, maximum: 2), [1, 1, 8, 8], [2, 1.9, 1.9, 2]);
    }

    [Fact]
    public void StreamingQuantile_comes_to_the_quantile()
    {
        double[] norms = [.. Tensor.Uniform([2000], 1, 2, new Generator(3)).ToArray().Select(norm => (double)norm)];
        double[] thresholds = [.. Run(Threshold.StreamingQuantile(0.8, initial: 30, rate: 0.02), norms).Select(report => report.Threshold)];
        Assert.InRange(thresholds[1000..].Average(), 1.72, 1.88);
    }

    [Fact]
    public void MedianDeviation_is_of_the_norms_before_this_one()
    {
        // {1, 2, 4, 8, 100}: median 4, distances {3, 2, 0, 4, 96}, their median 3.
        const double normal = 1.4826022185056018;
        double[] none = [.. Enumerable.Repeat(double.PositiveInfinity, 5)];
        AssertThresholds(
            Threshold.MedianDeviation(3, window: 5, warmup: 5), [8, 1, 100, 2, 4, 1000], [.. none, 4 + (3 * normal * 3)]);

        // {1, 2, 4, 8}: median 3, distances {2, 1, 1, 5}, their median 1.5.
        AssertThresholds(
            Threshold.MedianDeviation(1, window: 4, warmup: 4), [8, 4, 2, 1, 1], [.. none[..4], 3 + (normal * 1.5)]);

        // Equal norms deviate by nothing, and a spike in the window moves neither median.
        AssertThresholds(Threshold.MedianDeviation(3, window: 9, warmup: 1), [2, 2, 1e9, 2], [double.PositiveInfinity, 2, 2, 2]);
    }

    [Fact]
    public void Percentiles_are_those_of_a_sorted_list() => Norms.Select(Gen.Double[0, 100], Gen.Int[2, 8]).Sample((norms, percentile, window) =>
        AssertThresholds(Threshold.Percentile(percentile, window), norms, [.. norms.Select((_, i) =>
        {
            double[] last = [.. Single(norms[..(i + 1)]).TakeLast(window).Order()];
            double rank = percentile / 100 * (last.Length - 1);
            double below = last[(int)Math.Floor(rank)];
            return below + ((rank - Math.Floor(rank)) * (last[(int)Math.Ceiling(rank)] - below));
        })]));

    [Fact]
    public void Median_deviations_are_those_of_a_sorted_list() => Norms.Select(Gen.Int[1, 8]).Sample((norms, window) =>
        AssertThresholds(Threshold.MedianDeviation(2, window, warmup: 1), norms, [.. norms.Select((_, i) =>
        {
            double[] last = [.. Single(norms[..i]).TakeLast(window)];
            return last.Length == 0
                ? double.PositiveInfinity
                : Median(last) + (2 * 1.4826022185056018 * Median([.. last.Select(norm => Math.Abs(norm - Median(last)))]));
        })]));

    [Fact]
    public void Z_scores_are_those_of_plain_sums() => Norms.Select(Gen.Int[1, 6]).Sample((norms, warmup) =>
    {
        List<double> expected = [];
        double[] known = Single(norms);
        double mean = 0;
        double variance = 0;
        for (int i = 0; i < norms.Length; i++)
        {
            if (i == warmup)
            {
                mean = known[..i].Average();
                variance = known[..i].Average(norm => (norm - mean) * (norm - mean));
            }

            double threshold = double.PositiveInfinity;
            if (i >= warmup)
            {
                double deviation = Math.Sqrt(variance);
                double score = (known[i] - mean) / (deviation + 1e-6);
                threshold = score > 1.5 ? mean + (1.5 * 1.5 * deviation / score) : Math.Max(known[i], mean + (1.5 * (deviation + 1e-6)));
                double clipped = Math.Min(known[i], threshold);
                mean = (0.9 * mean) + (0.1 * clipped);
                variance = (0.9 * variance) + (0.1 * (clipped - mean) * (clipped - mean));
            }

            expected.Add(threshold);
        }

        // Welford's sums round as the plain ones do, but for the root of a variance that is 0 up to rounding.
        AssertThresholds(Threshold.ZScore(1.5, decay: 0.9, warmup: warmup), norms, [.. expected], 1e-6);
    });

    [Fact]
    public void A_schedule_follows_the_steps_asked_for()
    {
        Tensor parameter = WithGradient(1);
        Sgd optimizer = new([parameter], learningRate: 0)
        {
            Clip = [Clip.GlobalNorm(Schedule.MultiStep(8, [1, 2, 3], 0.5))],
            NonFinite = NonFinitePolicy.SkipStep,
            CheckInterval = 1,
        };
        Assert.Equal(8, Step(optimizer, 1).Threshold);
        parameter.Gradient = Tensor.Of([float.NaN], 1);
        Assert.True(optimizer.Step().WasSkipped);
        Assert.Equal(2, Step(optimizer, 1).Threshold);
        OptimizerState state = optimizer.State();
        Assert.Equal(1, Step(optimizer, 1).Threshold);
        optimizer.Restore(state);
        Assert.Equal(1, Step(optimizer, 1).Threshold);
        ClipStage byHand = Clip.Value(Schedule.Linear(4, 1, 0.5, length: 2));
        float Applied()
        {
            parameter.Gradient = Tensor.Of([9f], 1);
            byHand.Apply([parameter]);
            return parameter.Gradient.ToArray()[0];
        }

        Assert.Equal([4f, 3f, 2f, 2f], (float[])[Applied(), Applied(), Applied(), Applied()]);
    }

    [Fact]
    public void A_schedule_that_comes_to_0_is_an_error_that_says_when()
    {
        Tensor parameter = WithGradient(1);
        Sgd optimizer = new([parameter], learningRate: 1) { Clip = [Clip.GlobalNorm(Schedule.Polynomial(1, length: 2))] };
        Step(optimizer, 1);
        Step(optimizer, 1);
        float before = parameter.ToArray()[0];
        Teaches<InvalidOperationException>(() => optimizer.Step(), "Clip.GlobalNorm", "gives 0 after 2 steps", "minimum above 0");
        Assert.Equal(before, parameter.ToArray()[0]);
    }

    /// <summary>Norms that are not finite, too large, or 0, and steps that are not made, leave no trace in any history.</summary>
    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void What_is_not_a_norm_of_a_step_that_was_made_enters_no_history(string name)
    {
        if (name is "fixed" or "schedule")
        {
            return;
        }

        foreach (string stage in StageKinds.Stages.Keys)
        {
            (StageReport[] Reports, OptimizerState State) Run(params float[] bad)
            {
                Tensor parameter = Tensor.Of(new float[,] { { 1f, -2f }, { 3f, 0.5f } }).WithGradient("w");
                Sgd optimizer = new([parameter], learningRate: 0)
                {
                    Clip = [StageKinds.Stages[stage](StageKinds.Thresholds[name]())],
                    NonFinite = NonFinitePolicy.SkipStep,
                    CheckInterval = 1,
                };
                List<StageReport> reports = [];
                for (int step = 0; step < 7; step++)
                {
                    foreach (float value in bad)
                    {
                        // Every element, so that a gradient of 0 is one in each unit.
                        parameter.Gradient = Tensor.Full([2, 2], value);
                        Assert.Equal(value != 0, optimizer.Step().WasSkipped);
                    }

                    parameter.Gradient = Tensor.Normal([2, 2], generator: new Generator((ulong)step));
                    reports.Add(optimizer.Step().Stages[0]);
                }

                return ([.. reports], optimizer.State());
            }

            (StageReport[] expected, OptimizerState known) = Run();
            (StageReport[] actual, OptimizerState state) = Run(float.NaN, float.PositiveInfinity, 0f);
            Assert.Equal(expected, actual);
            Assert.Equal(JsonSerializer.Serialize(known.Stages.Select(saved => saved.Memories)), JsonSerializer.Serialize(state.Stages.Select(saved => saved.Memories)));
        }
    }

    [Fact]
    public void A_step_that_is_too_large_after_clipping_enters_no_history()
    {
        Tensor parameter = WithGradient(1);
        Sgd optimizer = new([parameter], learningRate: 0)
        {
            Clip = [Clip.GlobalNorm(Threshold.Percentile(50, warmup: 2))],
            NonFinite = NonFinitePolicy.SkipStep,
            CheckInterval = 1,
        };
        Step(optimizer, 1);
        parameter.Gradient = Tensor.Of([1e25f], 1);
        StepReport report = optimizer.Step();
        Assert.True(report.WasSkipped);
        Assert.Equal((1e25f, double.PositiveInfinity), ((float)report.Stages[0].Norm, report.Stages[0].Threshold));
        Step(optimizer, 3);
        Assert.Equal(3, Step(optimizer, 7).Threshold);
    }

    [Fact]
    public void An_overflow_of_a_dynamic_loss_scale_enters_no_history()
    {
        Tensor parameter = Tensor.Zeros(1).WithGradient();
        Sgd optimizer = new([parameter], learningRate: 0)
        {
            Clip = [Clip.GlobalNorm(Threshold.Percentile(100, window: 5))],
            LossScaling = LossScaling.Dynamic(initial: 4),
            CheckInterval = 1,
        };
        StepReport Of(float slope)
        {
            optimizer.ZeroGradients();
            optimizer.Scale((parameter * slope).Sum()).Backward();
            return optimizer.Step();
        }

        Assert.Equal((2, 2), (Of(2).Stages[0].Norm, optimizer.LossScale / 2));
        StepReport overflow = Of(3e38f);
        Assert.True(overflow.HasOverflowed);
        Assert.Empty(overflow.Stages);
        Assert.Equal(3, Of(3).Stages[0].Threshold);
        Assert.Equal(3, Of(1).Stages[0].Threshold);
    }

    [Fact]
    public void Under_Propagate_a_rule_has_no_threshold_for_what_is_not_finite()
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            Tensor parameter = WithGradient(1);
            Sgd optimizer = new([parameter], learningRate: 1)
            {
                Clip = [Clip.GlobalNorm(Threshold.Percentile(50))],
                NonFinite = NonFinitePolicy.Propagate,
                CheckInterval = 1,
            };
            Step(optimizer, 1);
            StageReport report = Step(optimizer, bad);
            Assert.True(double.IsNaN(report.Threshold) && double.IsNaN(report.Coefficient));
            Assert.True(float.IsNaN(parameter.ToArray()[0]));
            Assert.Equal(2, Step(optimizer, 3).Threshold);
        }
    }

    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void State_taken_written_as_JSON_and_restored_continues_to_the_same_bits(string name)
    {
        foreach (string stage in StageKinds.Stages.Keys)
        {
            (Tensor[] Parameters, Adam Optimizer) Start()
            {
                Tensor[] parameters = Parameters();
                return (parameters, new Adam(parameters) { Clip = [Clip.Value(2), StageKinds.Stages[stage](StageKinds.Thresholds[name]())] });
            }

            (Tensor[] straight, Adam optimizer) = Start();
            Steps(straight, optimizer, 0, 4);
            string json = JsonSerializer.Serialize(optimizer.State());
            float[][] values = [.. straight.Select(parameter => parameter.ToArray())];
            StageReport[] expected = Steps(straight, optimizer, 4, 9);

            (Tensor[] stopped, Adam resumed) = Start();
            Steps(stopped, resumed, 20, 21);
            using (new NoGrad())
            {
                for (int i = 0; i < stopped.Length; i++)
                {
                    stopped[i].Assign(values[i]);
                }
            }

            resumed.Restore(JsonSerializer.Deserialize<OptimizerState>(json)!);
            Assert.Equal(expected, Steps(stopped, resumed, 4, 9));
            Assert.Equal(straight.Select(parameter => parameter.ToArray()), stopped.Select(parameter => parameter.ToArray()));
        }
    }

    [Fact]
    public void The_learning_rate_finder_puts_histories_back()
    {
        Sequential model = new(new Linear(2, 1));
        Sgd optimizer = new(model.Parameters, 0.1) { Clip = [Clip.GlobalNorm(Threshold.Percentile(50, window: 3))] };
        Tensor input = Tensor.Normal([4, 2], generator: new Generator(1));
        Tensor Loss() => model.Forward(input).Square().Mean();
        Loss().Backward();
        optimizer.Step();
        string before = JsonSerializer.Serialize(optimizer.State());
        LearningRateFinder.Run(model, optimizer, Loss, steps: 20);
        Assert.Equal(before, JsonSerializer.Serialize(optimizer.State()));
    }

    [Fact]
    public void Each_parameter_and_each_unit_has_a_history_of_its_own()
    {
        Tensor first = WithGradient(1);
        Tensor second = WithGradient(1);
        Sgd optimizer = new([first, second], learningRate: 0) { Clip = [Clip.ParameterNorm(Threshold.Percentile(0, window: 9))] };
        Step(optimizer, 1, 100);
        (first.Gradient, second.Gradient) = (Tensor.Of([50f], 1), null);
        Assert.Equal(1, optimizer.Step().Stages[0].Threshold);

        // The second had no gradient, so its history is 100 alone; 200 is clipped to that, and 0.5 stays.
        StageReport report = Step(optimizer, 0.5f, 200);
        Assert.Equal((200, 0.5, 0.5, true), (report.Norm, report.Threshold, report.Coefficient, report.Acted));

        Tensor weight = Tensor.Of(new float[,] { { 1f, 0f }, { 10f, 0f } }).WithGradient("w");
        ClipStage rows = Clip.UnitNorm(Threshold.Percentile(0, window: 9));
        weight.Gradient = Tensor.Of(new float[,] { { 1f, 0f }, { 1f, 0f } });
        rows.Apply([weight]);
        weight.Gradient = Tensor.Of(new float[,] { { 4f, 0f }, { 4f, 0f } });
        rows.Apply([weight]);
        Assert.Equal([1f, 0f, 1f, 0f], weight.Gradient.ToArray());
    }

    [Fact]
    public void A_value_stage_sees_the_largest_magnitude_of_all()
    {
        Tensor[] parameters = [WithGradient(1), WithGradient(1)];
        Sgd optimizer = new(parameters, learningRate: 1) { Clip = [Clip.Value(Threshold.Percentile(0, window: 9))] };
        Assert.Equal((2, 2, false), Of(Step(optimizer, -2, 1)));
        Assert.Equal((7, 2, true), Of(Step(optimizer, 1, 7)));
        Assert.Equal(2f - 1f, parameters[0].ToArray()[0]);
        Assert.Equal(-1f - 2f, parameters[1].ToArray()[0]);
        static (double Norm, double Threshold, bool Acted) Of(StageReport report) => (report.Norm, report.Threshold, report.Acted);
    }

    [Fact]
    public void Groups_with_stages_of_their_own_have_histories_of_their_own()
    {
        Tensor[] parameters = [WithGradient(1), WithGradient(1), WithGradient(1)];
        Sgd optimizer = new(
            [
                new ParameterGroup([parameters[0]]) { Clip = [Clip.GlobalNorm(Threshold.Percentile(0, window: 5))] },
                new ParameterGroup([parameters[1]], "head") { Clip = [Clip.Value(3)] },
                new ParameterGroup([parameters[2]]),
            ],
            0.0)
        { Clip = [Clip.GlobalNorm(Threshold.Percentile(100, window: 5))] };
        SetGradients(parameters, 1, 2, 3);
        optimizer.Step();
        SetGradients(parameters, 4, 5, 6);
        IReadOnlyList<StageReport> stages = optimizer.Step().Stages;
        Assert.Equal(
            [
                new StageReport("group 0: GlobalNorm(percentile 0 of 5)", 4, 1, 0.25, true),
                new StageReport("head: Value(3)", 5, 3, 1, true),
                new StageReport("GlobalNorm(percentile 100 of 5)", 6, 6, 1, false),
            ],
            stages);
        OptimizerState state = optimizer.State();
        Assert.Equal(["GlobalNorm(percentile 0 of 5)", "GlobalNorm(percentile 100 of 5)"], state.Stages.Select(stage => stage.Stage));
        SetGradients(parameters, 2, 2, 2);
        StageReport[] expected = [.. optimizer.Step().Stages];
        optimizer.Restore(state);
        Assert.Equal(expected, optimizer.Step().Stages);
    }

    [Fact]
    public void A_report_has_every_stage_in_order()
    {
        Tensor[] parameters = [WithGradient(1), WithGradient(1)];
        Sgd optimizer = new(parameters, learningRate: 0)
        {
            Clip = [Clip.GlobalNorm(10), Clip.ParameterNorm(4), Clip.BlockRms(3), new Halving(), Clip.Value(1.2)],
        };
        SetGradients(parameters, 12, 16);
        Assert.Equal(
            [
                new StageReport("GlobalNorm(10)", 20, 10, 0.5, true),
                new StageReport("ParameterNorm(4)", 8, 4, 0.5, true),
                new StageReport("BlockRms(3)", 4, 3, 0.75, true),
                new StageReport("half", Math.Round(Math.Sqrt(18), 12), double.NaN, 0.5, true),
                new StageReport("Value(1.2)", Math.Round(Math.Sqrt(4.5), 12), 1.2, 1, true),
            ],
            optimizer.Step().Stages.Select(stage => stage with { Norm = Math.Round(stage.Norm, 12) }));
        Assert.Empty(new Sgd(parameters, learningRate: 0).Step().Stages);
    }

    [Fact]
    public void A_stage_that_remembers_belongs_to_one_optimizer()
    {
        foreach (Threshold threshold in (Threshold[])[Threshold.Percentile(), Schedule.Constant(1)])
        {
            Tensor parameter = WithGradient(1);
            ClipStage stage = Clip.GlobalNorm(threshold);
            new Sgd([parameter], 0.1) { Clip = [stage] }.Step();
            Teaches<InvalidOperationException>(() => new Sgd([parameter], 0.1) { Clip = [stage] }.Step(), "second", "Make a stage for each");
            Teaches<InvalidOperationException>(() => stage.Apply([parameter]), "Apply", "Make a stage for each");
            ClipStage twice = Clip.GlobalNorm(threshold);
            Teaches<InvalidOperationException>(() => new Sgd([parameter], 0.1) { Clip = [twice, Clip.Value(1), twice] }.Step(), "listed twice", "Make a stage for each");
        }

        // One that remembers nothing may be anywhere.
        ClipStage shared = Clip.GlobalNorm(1);
        Tensor other = WithGradient(1);
        new Sgd([other], 0.1) { Clip = [shared, shared] }.Step();
        new Sgd([other], 0.1) { Clip = [shared] }.Step();
        shared.Apply([other]);
    }

    [Fact]
    public void A_state_of_other_stages_is_refused_by_name()
    {
        Tensor parameter = WithGradient(1);
        Sgd With(params ClipStage[] stages) => new([parameter], 0.1) { Clip = stages };
        OptimizerState state = With(Clip.GlobalNorm(Threshold.Percentile(20))).State();
        string[] parts = ["GlobalNorm(percentile 20 of 1000)", "before Restore"];
        Teaches<ArgumentException>(() => With().Restore(state), parts);
        Teaches<ArgumentException>(() => With(Clip.GlobalNorm(Threshold.Percentile(10))).Restore(state), parts);
        Teaches<ArgumentException>(() => With(Clip.GlobalNorm(Threshold.Percentile(20)), Clip.Value(Threshold.ZScore())).Restore(state), parts);
        Teaches<ArgumentException>(
            () => With(Clip.GlobalNorm(Threshold.Percentile(20))).Restore(state with { Stages = [state.Stages[0] with { Memories = [] }] }), parts);
        With(Clip.Value(1), Clip.GlobalNorm(Threshold.Percentile(20))).Restore(state);
    }

    [Fact]
    public void Numbers_that_mean_nothing_are_refused_with_the_reason()
    {
        (Action Make, string[] Parts)[] refused =
        [
            (() => Threshold.Fixed(0), ["Threshold.Fixed", "Libraries disagree on what 0 means"]),
            (() => Threshold.Fixed(-1), ["Threshold.Fixed", "reverses every gradient"]),
            (() => Threshold.Percentile(101), ["Threshold.Percentile: percentile", "from 0 to 100", "101"]),
            (() => Threshold.Percentile(double.NaN), ["percentile", "NaN"]),
            (() => Threshold.Percentile(window: 1), ["window", "at least 2"]),
            (() => Threshold.Percentile(window: 10, warmup: 10), ["warmup", "less than the window"]),
            (() => Threshold.ZScore(0), ["Threshold.ZScore: limit", "positive"]),
            (() => Threshold.ZScore(target: (SpikeTarget)7), ["target", "Reciprocal, Mean or Limit"]),
            (() => Threshold.ZScore(decay: 1), ["decay", "less than 1"]),
            (() => Threshold.ZScore(warmup: 0), ["warmup", "no mean"]),
            (() => Threshold.ZScore(maximum: 0), ["maximum", "+∞ for none"]),
            (() => Threshold.ZScore(epsilon: 0), ["epsilon", "divided by 0"]),
            (() => Threshold.MovingAverage(0), ["Threshold.MovingAverage: relative", "positive"]),
            (() => Threshold.MovingAverage(absolute: -1), ["absolute", "positive"]),
            (() => Threshold.MovingAverage(decay: -0.1), ["decay", "at least 0"]),
            (() => Threshold.MovingAverage(warmup: 0), ["warmup", "no mean"]),
            (() => Threshold.StreamingQuantile(1), ["Threshold.StreamingQuantile: quantile", "below 1"]),
            (() => Threshold.StreamingQuantile(rate: double.PositiveInfinity), ["rate", "finite"]),
            (() => Threshold.StreamingQuantile(minimum: 0), ["minimum", "clip everything to 0"]),
            (() => Threshold.StreamingQuantile(minimum: 2, maximum: 1), ["maximum", "not below the minimum"]),
            (() => Threshold.StreamingQuantile(initial: 1e10), ["initial", "from the minimum to the maximum"]),
            (() => Threshold.MedianDeviation(-1), ["Threshold.MedianDeviation: deviations", "not negative"]),
            (() => Threshold.MedianDeviation(window: 0), ["window", "at least 1"]),
            (() => Threshold.MedianDeviation(window: 10, warmup: 11), ["warmup", "at most the window"]),
            (() => Clip.Value(0.5, 1), ["must contain 0", "from 0.5 to 1"]),
            (() => Clip.Value(-1, -0.5), ["must contain 0"]),
            (() => Clip.Value(0, 0), ["have a length"]),
            (() => Clip.Value(double.NaN, 1), ["must contain 0"]),
            (() => Clip.BlockRms(0), ["Clip.BlockRms", "Libraries disagree on what 0 means"]),
            (() => Clip.AverageNorm(-1), ["Clip.AverageNorm", "reverses every gradient"]),
            (() => Clip.UnitNorm(1, layout: (UnitLayout)5), ["layout", "Rows or Columns"]),
        ];
        Assert.All(refused, entry => Teaches<ArgumentOutOfRangeException>(entry.Make, entry.Parts));
    }

    [Theory]
    [MemberData(nameof(StageNames))]
    public void Stages_say_what_they_are(string name)
    {
        string text = StageKinds.Stages[name](Threshold.ZScore()).ToString();
        Assert.Contains("(z-score 2.5", text, StringComparison.Ordinal);
        Assert.Equal("Value(1, from -2 to 3)", Clip.Value(-2, 3).ToString());
        Assert.Equal("GlobalNorm(a schedule)", Clip.GlobalNorm(Schedule.Constant(1)).ToString());
        Assert.Equal("UnitNorm(0.01, epsilon 0.001, columns)", Clip.UnitNorm(layout: UnitLayout.Columns).ToString());
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
    }

    /// <summary>Norms as a gradient of one float32 has them.</summary>
    private static double[] Single(double[] norms) => [.. norms.Select(norm => (double)(float)norm)];

    private static void AssertThresholds(Threshold threshold, double[] norms, double[] expected, double tolerance = 1e-12)
    {
        StageReport[] reports = Run(threshold, norms);
        for (int i = 0; i < norms.Length; i++)
        {
            double allowed = tolerance * Math.Abs(expected[i]);
            Assert.True(
                expected[i].Equals(reports[i].Threshold) || Math.Abs(expected[i] - reports[i].Threshold) <= allowed,
                $"{threshold}: after [{string.Join(", ", norms[..i])}] the threshold for {norms[i]} is {reports[i].Threshold:R}, expected {expected[i]:R}.");
            double coefficient = (float)norms[i] / Math.Max((float)norms[i], reports[i].Threshold);
            Assert.Equal(Math.Min(1, reports[i].Threshold / (float)norms[i]), reports[i].Coefficient, 1e-12);
            Assert.True(coefficient <= 1);
        }
    }

    private static StageReport[] Run(Threshold threshold, double[] norms)
    {
        Tensor parameter = WithGradient(1);
        Sgd optimizer = new([parameter], learningRate: 0) { Clip = [Clip.GlobalNorm(threshold)] };
        return [.. norms.Select(norm => Step(optimizer, (float)norm))];
    }

    private static StageReport Step(Optimizer optimizer, params float[] gradients)
    {
        SetGradients([.. optimizer.Groups.SelectMany(group => group.Parameters)], gradients);
        return optimizer.Step().Stages[0];
    }

    private static void SetGradients(Tensor[] parameters, params float[] gradients)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = Tensor.Of([gradients[i]], 1);
        }
    }

    private static Tensor WithGradient(float gradient)
    {
        Tensor parameter = Tensor.Zeros(1).WithGradient();
        parameter.Gradient = Tensor.Of([gradient], 1);
        return parameter;
    }

    private static Tensor[] Parameters() =>
    [
        Tensor.Normal([3, 4], generator: new Generator(1)).WithGradient("weight"),
        Tensor.Normal([5], generator: new Generator(2)).WithGradient("bias"),
        Tensor.Normal([2, 3, 2], generator: new Generator(3)).WithGradient("kernel"),
    ];

    private static StageReport[] Steps(Tensor[] parameters, Optimizer optimizer, int from, int to)
    {
        List<StageReport> reports = [];
        for (int step = from; step < to; step++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].Gradient = Tensor.Normal(
                    [.. parameters[i].Shape.Dimensions], standardDeviation: 0.3f, generator: new Generator((ulong)((10 * step) + i)));
            }

            reports.AddRange(optimizer.Step().Stages);
        }

        return [.. reports];
    }

    private static void Teaches<TException>(Action act, params string[] parts)
        where TException : Exception
    {
        string message = Assert.Throws<TException>(act).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private static void Teaches<TException>(Func<object?> act, params string[] parts)
        where TException : Exception => Teaches<TException>((Action)(() => act()), parts);

    /// <summary>A stage of one's own.</summary>
    private sealed class Halving : ClipStage
    {
        public override string ToString() => "half";

        protected internal override double Clip(GradientSet gradients)
        {
            double norm = gradients.Norm();
            gradients.Scale(0.5);
            return norm;
        }
    }
}
