using System.Text.Json;
using CsCheck;
using Minigrad.Layers;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>An optimizer's state: what is restored continues to the bit, and what does not fit is refused whole.</summary>
public sealed class OptimizerStateTests
{
    [Theory]
    [MemberData(nameof(OptimizerTests.Kinds), MemberType = typeof(OptimizerTests))]
    public void State_taken_written_as_JSON_and_restored_continues_to_the_same_bits(string kind)
    {
        (Sequential model, Optimizer optimizer) = OptimizerTests.Train(kind, 5);
        string json = JsonSerializer.Serialize(optimizer.State());
        IReadOnlyDictionary<string, float[]> weights = model.State();
        OptimizerTests.Steps(model, optimizer, 5, from: 5);

        (Sequential other, Optimizer resumed) = OptimizerTests.Train(kind, 1);
        other.LoadState(weights);
        resumed.Restore(JsonSerializer.Deserialize<OptimizerState>(json)!);
        OptimizerTests.Steps(other, resumed, 5, from: 5);
        Assert.Equal(OptimizerTests.Bits(model), OptimizerTests.Bits(other));
        Assert.Equal(10, resumed.StepCount);
    }

    /// <summary>Each fault of a state, found before anything is restored.</summary>
    [Fact]
    public void A_state_that_does_not_fit_leaves_everything_as_it_is()
    {
        (Adam saved, _) = Clipped(steps: 1);
        (Adam optimizer, Tensor w) = Clipped(steps: 3);
        OptimizerState state = saved.State();
        string before = JsonSerializer.Serialize(optimizer.State());
        ParameterState parameter = state.Parameters[0];
        StageState stage = state.Stages[0];
        StageState With(int place, double number)
        {
            double[] memory = [.. stage.Memories[0]];
            memory[place] = number;
            return stage with { Memories = [memory] };
        }

        (OptimizerState? State, string Part)[] faults =
        [
            (state with { LearningRate = -1 }, "LearningRate"),
            (state with { LearningRate = double.NaN }, "LearningRate"),
            (state with { WeightDecay = double.PositiveInfinity }, "WeightDecay"),
            (state with { Groups = [new GroupState(double.NaN, null)] }, "LearningRate"),
            (state with { Groups = [new GroupState(null, -1)] }, "WeightDecay"),
            (state with { Groups = null! }, "Groups"),
            (state with { Groups = [null!] }, "Groups"),
            (state with { Step = -5 }, "-5 steps"),
            (state with { SkippedSteps = -1 }, "-1 skipped"),
            (state with { ConsecutiveSkips = -2 }, "-2 skipped in a row"),
            (state with { Step = int.MaxValue }, "no number for a next one"),
            (state with { SkippedSteps = int.MaxValue }, "no number for a next one"),
            (state with { LossScale = new LossScaleState(8, 1) }, "loss scale of 8, but LossScaling of this Adam is null"),
            (state with { Parameters = null! }, "Parameters"),
            (state with { Parameters = [null!] }, "Parameters"),
            (state with { Parameters = [parameter with { Step = -1 }] }, "-1 updates of 'w'"),
            (state with { Parameters = [parameter with { Step = 2 }] }, "2 updates of 'w' in 1 steps"),
            (state with { Parameters = [parameter with { Slots = null! }] }, "Slots"),
            (state with { Parameters = [parameter with { Slots = [null!, null!] }] }, "Slots"),
            (state with { Stages = null! }, "Stages"),
            (state with { Stages = [null!] }, "Stages"),
            (state with { Stages = [stage with { Memories = null! }] }, "Memories"),
            (state with { Stages = [stage with { Asked = -1 }] }, "GlobalNorm(percentile 90 of 4)"),
            (state with { Stages = [stage with { Asked = int.MaxValue }] }, "GlobalNorm(percentile 90 of 4)"),
            (state with { Stages = [With(0, 4)] }, "GlobalNorm(percentile 90 of 4)"),
            (state with { Stages = [With(0, -1)] }, "GlobalNorm(percentile 90 of 4)"),
            (state with { Stages = [With(1, 3)] }, "GlobalNorm(percentile 90 of 4)"),
            (state with { Stages = [With(2, double.NaN)] }, "GlobalNorm(percentile 90 of 4)"),
            (JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(state).Replace("\"Slots\"", "\"Other\"", StringComparison.Ordinal)), "Slots"),
        ];
        Assert.All(faults, fault =>
        {
            Assert.Contains(fault.Part, Assert.ThrowsAny<ArgumentException>(() => optimizer.Restore(fault.State!)).Message, StringComparison.Ordinal);
            Assert.Equal(before, JsonSerializer.Serialize(optimizer.State()));
        });

        optimizer.Restore(state);
        Assert.Equal(JsonSerializer.Serialize(state), JsonSerializer.Serialize(optimizer.State()));
        optimizer.Step();
        Assert.All(w.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    /// <summary>Numbers that are finite and not negative, and yet none that the rule leaves after these norms.</summary>
    [Fact]
    public void A_damaged_memory_of_a_threshold_is_refused()
    {
        // Of each rule what it remembers of 2, 8 and 4, and numbers of that which damage has changed.
        (Threshold Threshold, double[] Left, (int Place, double Number)[] Faults)[] rules =
        [
            (
                Threshold.Percentile(50, window: 5),
                [3, 0, 2, 8, 4, 0, 2, 4, 8, 0],
                [(0, 2.5), (0, 2), (0, 4), (1, 1), (2, 0), (2, 3), (6, 3), (7, 9), (8, 4)]),
            (
                Threshold.Percentile(50, window: 3),
                [2, 1, 4, 8, 4, 8],
                [(0, 1.5), (0, 1), (1, 0.5), (1, 2), (2, 0), (4, 0), (5, 4)]),
            (
                Threshold.MedianDeviation(0, window: 3, warmup: 1),
                [4, 3, 0, 2, 8, 4, 2, 4, 8],
                [(0, 0), (0, 3), (1, 2), (3, 0), (6, 4), (8, 2)]),
            (
                Threshold.MovingAverage(absolute: double.PositiveInfinity, warmup: 5),
                [3, 2],
                [(0, 0), (0, 2.5), (1, 0)]),
            (
                Threshold.ZScore(warmup: 5),
                [3, 14.0 / 3, 56.0 / 3],
                [(0, 0), (0, 2.5), (1, 0)]),
        ];
        Assert.All(rules, rule =>
        {
            Adam optimizer = Make();
            Assert.All(rule.Left.Zip(optimizer.State().Stages[0].Memories[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
            OptimizerState state = optimizer.State();
            string before = JsonSerializer.Serialize(state);
            Assert.All(rule.Faults, fault =>
            {
                double[] memory = [.. state.Stages[0].Memories[0]];
                memory[fault.Place] = fault.Number;
                OptimizerState damaged = state with { Stages = [state.Stages[0] with { Memories = [memory] }] };
                string message = Assert.Throws<ArgumentException>(() => optimizer.Restore(damaged)).Message;
                Assert.Contains($"what it has of {state.Stages[0].Stage} is damaged", message, StringComparison.Ordinal);
                Assert.Equal(before, JsonSerializer.Serialize(optimizer.State()));
            });
            optimizer.Restore(state);
            Assert.Equal(before, JsonSerializer.Serialize(optimizer.State()));

            Adam Make()
            {
                Tensor w = Parameter("w");
                Adam optimizer = new([w]) { Clip = [Clip.GlobalNorm(rule.Threshold)] };
                foreach (float gradient in (float[])[2, 8, 4])
                {
                    w.Gradient = Tensor.Of([gradient]);
                    optimizer.Step();
                }

                return optimizer;
            }
        });
    }

    /// <summary>Whatever norms there were, none among them, tiny and huge ones, what a rule has left of them is taken.</summary>
    [Fact]
    public void Every_memory_that_steps_leave_is_restored() =>
        Gen.Select(
            Gen.OneOf(Gen.OneOfConst(0f, 1e-45f, 1e-30f, 1e-3f, 1f, 2f, 1e10f, 1e19f), Gen.Float[1e-6f, 1e6f]).Array[0, 20],
            Gen.Int[2, 6],
            Gen.Int[0, 6],
            Gen.Double[0, 3],
            Gen.Int[0, 4]).Sample((norms, window, warmup, number, kind) =>
            {
                Threshold Make() => kind switch
                {
                    0 => Threshold.Percentile(number * 30, window, Math.Min(window - 1, warmup)),
                    1 => Threshold.MedianDeviation(number, window, Math.Clamp(warmup, 1, window)),
                    2 => Threshold.MovingAverage(0.01 + number, absolute: 1 + number, decay: number / 4, warmup: 1 + warmup),
                    3 => Threshold.ZScore(0.1 + number, decay: number / 4, warmup: 1 + warmup),
                    _ => Threshold.StreamingQuantile(0.01 + (number / 4)),
                };
                Tensor w = Tensor.Ones(2, 3).WithGradient("w");
                Sgd optimizer = new([w], 1e-20f) { Clip = [Clip.GlobalNorm(Make()), Clip.ParameterNorm(Make()), Clip.UnitNorm(Make())] };
                foreach (float norm in norms)
                {
                    w.Gradient = Tensor.Of([norm, 0f, 0f, 0f, norm / 2, 0f], 2, 3);
                    optimizer.Step();
                }

                optimizer.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(optimizer.State()))!);
            });

    /// <summary>Parameters of one size that have changed places would each go on with the other's moments.</summary>
    [Fact]
    public void A_state_of_the_same_parameters_in_another_order_is_refused()
    {
        (Tensor first, Tensor second) = (Parameter("first"), Parameter("second"));
        Adam saved = new([first, second]);
        first.Gradient = Tensor.Of([1f]);
        second.Gradient = Tensor.Of([100f]);
        saved.Step();
        OptimizerState state = saved.State();
        Adam turned = new([second, first]);
        string message = Assert.Throws<ArgumentException>(() => turned.Restore(state)).Message;
        Assert.Contains("parameter 0 is 'first' there, and 'second' here", message, StringComparison.Ordinal);
        Assert.Equal(0, turned.StepCount);

        // Names alone are no fault: the model may be a part of another one by now.
        Adam renamed = new([Parameter("encoder.first"), Parameter("encoder.second")]);
        renamed.Restore(state);
        Assert.Equal(state.Parameters.Select(parameter => parameter.Slots[0][0]), renamed.State().Parameters.Select(parameter => parameter.Slots[0][0]));
    }

    /// <summary>Without its scale a training would go on, and its small gradients vanish.</summary>
    [Fact]
    public void A_state_with_a_loss_scale_needs_a_scale()
    {
        Tensor w = Parameter("w");
        OptimizerState state = new Adam([w]) { LossScaling = LossScaling.Dynamic(initial: 32) }.State();
        foreach (Adam without in (Adam[])[new([w]), new([w]) { LossScaling = LossScaling.Static(8) }])
        {
            string message = Assert.Throws<ArgumentException>(() => without.Restore(state)).Message;
            Assert.Contains($"loss scale of 32, but LossScaling of this Adam is {(object?)without.LossScaling ?? "null"}.", message, StringComparison.Ordinal);
            without.Restore(state with { LossScale = null });
        }
    }

    private static (Adam Optimizer, Tensor Parameter) Clipped(int steps)
    {
        Tensor w = Tensor.Of([1f, 2f]).WithGradient("w");
        Adam optimizer = new([w]) { Clip = [Clip.GlobalNorm(Threshold.Percentile(90, window: 4))] };
        for (int step = 0; step < steps; step++)
        {
            w.Gradient = Tensor.Of([1f + step, 2f]);
            optimizer.Step();
        }

        return (optimizer, w);
    }

    private static Tensor Parameter(string name) => Tensor.Of([1f]).WithGradient(name);
}
