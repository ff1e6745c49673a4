using System.Text.Json;
using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>Thresholds that change: what may enter a history, what is saved, and what is refused.</summary>
public sealed partial class ThresholdTests
{
    public static TheoryData<string> StageNames => [.. StageKinds.Stages.Keys];

    public static TheoryData<string> ThresholdNames => [.. StageKinds.Thresholds.Keys];

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
    public void More_memory_than_an_array_holds_is_refused_before_anything_is_done()
    {
        Tensor parameter = Tensor.Ones(1100, 2).WithGradient("embedding");
        parameter.Gradient = Tensor.Ones(1100, 2);
        Sgd optimizer = new([parameter], 0.1) { Clip = [Clip.GlobalNorm(1), Clip.UnitNorm(Threshold.Percentile(10, window: 1_000_000))] };
        string[] parts =
        [
            "Clip.UnitNorm(percentile 10 of 1000000", "'embedding' of shape [1100, 2]", "1100 rows", "2000002 numbers", "2200002200 in all",
            "smaller window",
        ];
        Teaches<InvalidOperationException>(() => optimizer.Step(), parts);
        Teaches<InvalidOperationException>(() => optimizer.State(), parts);
        Teaches<InvalidOperationException>(() => Clip.UnitNorm(Threshold.Percentile(10, window: 1_000_000)).Apply([parameter]), parts);
        Assert.All(parameter.ToArray().Concat(parameter.Gradient.ToArray()), value => Assert.Equal(1f, value));
        Assert.Equal(0, optimizer.StepCount);
        optimizer.Clip = [];
        Assert.Equal(1, optimizer.Step().Step);
        Assert.Equal(1, optimizer.StepCount);
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
