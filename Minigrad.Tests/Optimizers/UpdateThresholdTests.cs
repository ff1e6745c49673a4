using System.Text.Json;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>Clips of updates under every kind of threshold: against stages over gradients, what they remember, and what they report.</summary>
public sealed class UpdateThresholdTests
{
    /// <summary>An update is measured in float32 and a gradient as it is, so sizes differ by roundings, which a threshold multiplies.</summary>
    private const double Tolerance = 1e-5;

    /// <summary>Each clip of updates around a threshold.</summary>
    internal static Dictionary<string, Func<Threshold, UpdateClip>> Clips { get; } = new()
    {
        ["rms"] = threshold => UpdateClip.Rms(threshold),
        ["stable"] = threshold => UpdateClip.StableAdamW(0.01, threshold),
        ["clippy"] = threshold => UpdateClip.Clippy(0.5, 0.1, threshold),
    };

    public static TheoryData<string> ThresholdNames => [.. StageKinds.Thresholds.Keys];

    public static TheoryData<string> ClipNames => [.. Clips.Keys];

    /// <summary>The update of plain descent is η · g, so its RMS clip is the block RMS clip of gradients, history and all.</summary>
    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void The_update_of_plain_descent_is_clipped_as_its_gradient_is(string name)
    {
        int[][] shapes = [[4, 3], [5], [0, 2], [1]];
        Tensor[] clipped = UpdateClipTests.Parameters(shapes);
        Tensor[] expected = UpdateClipTests.Parameters(shapes);
        Sgd optimizer = new(clipped, 0.5) { UpdateClip = UpdateClip.Rms(StageKinds.Thresholds[name]()), NonFinite = NonFinitePolicy.SkipStep };
        Sgd other = new(expected, 0.5) { Clip = [Clip.BlockRms(StageKinds.Thresholds[name]())], NonFinite = NonFinitePolicy.SkipStep };
        int acted = 0;
        for (int step = 0; step < 12; step++)
        {
            float[]?[] gradients = UpdateClipTests.Gradients(clipped, step, step % 4 == 3 ? 5f : 1f);
            gradients[0]![0] = step == 5 ? float.NaN : gradients[0]![0];
            gradients[^1] = step == 2 ? null : gradients[^1];
            UpdateClipTests.Set(clipped, gradients);
            UpdateClipTests.Set(expected, gradients);
            StepReport report = optimizer.Step();
            StepReport reference = other.Step();
            Assert.Equal(reference.WasSkipped, report.WasSkipped);
            AssertNear(expected.SelectMany(parameter => parameter.ToArray()), clipped.SelectMany(parameter => parameter.ToArray()), $"{name}, step {step + 1}");
            Assert.Equal(reference.WasSkipped ? 0 : 1, report.Stages.Count);
            if (!report.WasSkipped)
            {
                (StageReport want, StageReport have) = (reference.Stages[0], report.Stages[0]);
                Assert.Equal($"update Rms({StageKinds.Thresholds[name]()})", have.Stage);
                Assert.Equal((name, step, want.Acted), (name, step, have.Acted));
                AssertNear([want.Norm, want.Coefficient], [have.Norm, have.Coefficient], $"{name}, step {step + 1}");
                acted += have.Acted ? 1 : 0;
            }
        }

        Assert.True(acted > 0, name);
        StageState[] known = [.. other.State().Stages];
        StageState[] found = [.. optimizer.State().Stages];
        Assert.Equal(known.Select(stage => stage.Asked), found.Select(stage => stage.Asked));
        AssertNear(
            known.SelectMany(stage => stage.Memories).SelectMany(memory => memory),
            found.SelectMany(stage => stage.Memories).SelectMany(memory => memory),
            name);
    }

    /// <summary>A threshold of c limits each size to c: what the papers have with 1, of a bound c times as wide.</summary>
    [Fact]
    public void A_number_other_than_1_widens_the_bound_by_so_much()
    {
        foreach ((UpdateClip clip, UpdateClip same) in ((UpdateClip, UpdateClip)[])
            [(UpdateClip.Clippy(0.05, 0.001, 4), UpdateClip.Clippy(0.2, 0.004)), (UpdateClip.Clippy(0.05, 0.001), UpdateClip.Clippy(0.05, 0.001, 1))])
        {
            Assert.Equal(Train(same), Train(clip), (a, b) => MathF.Abs(a - b) < 1e-6f);
        }

        float[] Train(UpdateClip clip)
        {
            Tensor[] parameters = UpdateClipTests.Parameters([4, 3], [5]);
            Adam optimizer = new(parameters, 0.1) { UpdateClip = clip };
            for (int step = 0; step < 4; step++)
            {
                UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 3 ? 30f : 1f));
                optimizer.Step();
            }

            return [.. parameters.SelectMany(parameter => parameter.ToArray())];
        }

        // η is divided by max(1, root / c): where the root is 3, a c of 2 leaves two thirds, and one of 4 all.
        foreach ((double threshold, double part) in ((double, double)[])[(1, 1.0 / 3), (2, 2.0 / 3), (4, 1)])
        {
            Tensor w = Tensor.Of([1f]).WithGradient("w");
            w.Gradient = Tensor.Of([0.75f]);
            RmsProp optimizer = new([w], 0.1, alpha: 8.0 / 9) { UpdateClip = UpdateClip.StableAdamW(threshold: threshold) };
            StepReport report = optimizer.Step();
            Assert.Equal(part, report.UpdateCoefficient, 1e-6);
            Assert.Equal((3, threshold, part < 1), (Math.Round(report.Stages[0].Norm, 5), report.Stages[0].Threshold, report.Stages[0].Acted));
        }
    }

    [Theory]
    [MemberData(nameof(ClipNames))]
    public void A_state_saved_under_any_threshold_continues_to_the_same_bits(string clip)
    {
        foreach (string name in StageKinds.Thresholds.Keys)
        {
            (Tensor[] Parameters, Adam Optimizer) Make()
            {
                Tensor[] parameters = UpdateClipTests.Parameters([4, 3], [5]);
                return (parameters, new Adam(parameters, 0.1) { Clip = [Clip.Value(Threshold.Percentile(50, window: 3))], UpdateClip = Clips[clip](StageKinds.Thresholds[name]()) });
            }

            List<StageReport> Steps((Tensor[] Parameters, Adam Optimizer) run, int from, int to)
            {
                List<StageReport> reports = [];
                for (int step = from; step < to; step++)
                {
                    UpdateClipTests.Set(run.Parameters, UpdateClipTests.Gradients(run.Parameters, step, step % 3 == 2 ? 5f : 1f));
                    reports.AddRange(run.Optimizer.Step().Stages);
                }

                return reports;
            }

            (Tensor[] Parameters, Adam Optimizer) run = Make();
            (Tensor[] Parameters, Adam Optimizer) other = Make();
            Steps(run, 0, 4);
            Steps(other, 6, 8);
            for (int i = 0; i < run.Parameters.Length; i++)
            {
                other.Parameters[i].Backend.Upload(run.Parameters[i].ToArray(), other.Parameters[i].Storage);
            }

            other.Optimizer.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(run.Optimizer.State()))!);
            Assert.Equal(Steps(run, 4, 9), Steps(other, 4, 9));
            Assert.Equal(UpdateClipTests.Bits(run.Parameters), UpdateClipTests.Bits(other.Parameters));
        }
    }

    [Fact]
    public void A_step_that_is_not_made_leaves_no_trace_and_NaN_enters_no_history()
    {
        foreach (string clip in Clips.Keys)
        {
            foreach (string name in StageKinds.Thresholds.Keys.Where(name => name != "schedule"))
            {
                string Run(params float[] extra)
                {
                    Tensor w = Tensor.Of([0.5f, -2f]).WithGradient("w");
                    Adam optimizer = new([w], 0.01) { UpdateClip = Clips[clip](StageKinds.Thresholds[name]()), NonFinite = NonFinitePolicy.SkipStep };
                    for (int step = 0; step < 5; step++)
                    {
                        if (step == 3)
                        {
                            foreach (float bad in extra)
                            {
                                w.Gradient = Tensor.Of([bad, 1f]);
                                Assert.True(optimizer.Step().WasSkipped);
                            }
                        }

                        w.Gradient = Tensor.Of([1f + step, 0.3f]);
                        optimizer.Step();
                    }

                    return JsonSerializer.Serialize((w.ToArray(), optimizer.State().Stages.Select(stage => stage.Memories).ToArray()), JsonOptions);
                }

                Assert.Equal(Run(), Run(float.NaN, float.PositiveInfinity, 1e25f));
            }
        }

        // Under Propagate the step is made; its NaN is seen, and not remembered.
        Tensor x = Tensor.Of([1f]).WithGradient("x");
        Sgd propagating = new([x], 0.1) { UpdateClip = UpdateClip.Rms(Threshold.Percentile(50, window: 3)), NonFinite = NonFinitePolicy.Propagate };
        x.Gradient = Tensor.Of([2f]);
        propagating.Step();
        double[] before = propagating.State().Stages[0].Memories[0];
        x.Gradient = Tensor.Of([float.NaN]);
        StageReport report = propagating.Step().Stages[0];
        Assert.True(double.IsNaN(report.Norm) && double.IsNaN(report.Threshold) && double.IsNaN(report.Coefficient) && report.Acted);
        Assert.Equal(before, propagating.State().Stages[0].Memories[0]);
    }

    [Fact]
    public void A_size_that_overflows_leaves_nothing_of_the_update_and_nothing_NaN()
    {
        // |Δ| / (0.1 · 0 + 1e-31) of 1e-2 · 1e10 is above float32's range.
        foreach (Threshold threshold in StageKinds.Thresholds.Values.Select(make => make()))
        {
            Tensor w = Tensor.Of([0f, 1f]).WithGradient("w");
            Sgd optimizer = new([w], 1e-2) { UpdateClip = UpdateClip.Clippy(0.1, 1e-31, threshold) };
            for (int step = 0; step < 4; step++)
            {
                w.Gradient = Tensor.Of([1e10f, 1f]);
                StepReport report = optimizer.Step();
                Assert.Equal((0.0, double.PositiveInfinity, true), (report.UpdateCoefficient, report.Stages[0].Norm, report.Stages[0].Acted));
                Assert.Equal([0f, 1f], w.ToArray());
            }

            Assert.All(optimizer.State().Stages.SelectMany(stage => stage.Memories).SelectMany(memory => memory), number => Assert.Equal(0, number));
        }
    }

    [Fact]
    public void Groups_have_clips_and_histories_of_their_own()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 4).Select(i => Tensor.Of([1f]).WithGradient($"p{i}"))];
        Sgd optimizer = new(
            [
                new ParameterGroup([parameters[0]], "head") { UpdateClip = UpdateClip.Rms(Threshold.Percentile(0, window: 5)), LearningRate = 0.5 },
                new ParameterGroup([parameters[1], parameters[2]]),
                new ParameterGroup([parameters[3]]) { UpdateClip = UpdateClip.Rms(double.PositiveInfinity) },
            ],
            0.25)
        { Clip = [Clip.GlobalNorm(1000)], UpdateClip = UpdateClip.Rms(Threshold.Percentile(100, window: 5)) };
        void Set(params float[] gradients)
        {
            for (int i = 0; i < gradients.Length; i++)
            {
                parameters[i].Gradient = Tensor.Of([gradients[i]]);
            }
        }

        Set(1, 2, 3, 4);
        optimizer.Step();
        Set(4, 6, 1, 100);
        StepReport report = optimizer.Step();
        Assert.Equal(
            [
                new StageReport("head: update Rms(percentile 0 of 5)", 4, 1, 0.25, true),
                new StageReport("group 2: update Rms(Infinity)", 100, double.PositiveInfinity, 1, false),
                new StageReport("update Rms(percentile 100 of 5)", 6, 3, 1, false),
            ],
            report.Stages.Skip(1));
        Assert.Equal([0.25, 1, 1, 1], report.UpdateCoefficients.Select(part => part.Coefficient));
        Assert.False(report.WasClipped);
        Assert.Equal([1f - 0.5f - 0.5f, 1f - 0.5f - 1.5f, 1f - 0.75f - 0.25f, 1f - 1f - 25f], parameters.Select(parameter => parameter.ToArray()[0]));
        Assert.Equal(
            [("Rms(percentile 0 of 5)", 1), ("Rms(percentile 100 of 5)", 2)],
            optimizer.State().Stages.Select(stage => (stage.Stage, stage.Memories.Count)));

        // With a clip in one group only, the others' updates are whole and said to be.
        optimizer.UpdateClip = null;
        optimizer.Groups[2].UpdateClip = null;
        Set(10, 10, 10, 10);
        StepReport one = optimizer.Step();
        Assert.Equal([0.1, 1, 1, 1], one.UpdateCoefficients.Select(part => Math.Round(part.Coefficient, 6)));
        Assert.Equal(["GlobalNorm(1000)", "head: update Rms(percentile 0 of 5)"], one.Stages.Select(stage => stage.Stage));
    }

    [Fact]
    public void A_schedule_follows_the_steps_asked_for()
    {
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        Sgd optimizer = new([w], 1) { UpdateClip = UpdateClip.Rms(Schedule.Exponential(8, 0.5)), NonFinite = NonFinitePolicy.SkipStep };
        foreach ((float gradient, double threshold) in ((float, double)[])[(100f, 8), (float.NaN, double.NaN), (100f, 2)])
        {
            w.Gradient = Tensor.Of([gradient]);
            StepReport report = optimizer.Step();
            Assert.Equal(double.IsNaN(threshold) ? [] : [threshold], report.Stages.Select(stage => stage.Threshold));
        }

        Assert.Equal([-10f], w.ToArray());
        Assert.Equal(3, optimizer.State().Stages.Single().Asked);
    }

    [Fact]
    public void What_a_threshold_or_a_group_cannot_have_is_refused_with_the_reason()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        w.Gradient = Tensor.Of([1f]);
        foreach (Func<Threshold, UpdateClip> make in Clips.Values)
        {
            Teaches<ArgumentOutOfRangeException>(() => make(0), "UpdateClip.", "Libraries disagree on what 0 means");
            Teaches<ArgumentOutOfRangeException>(() => make(double.NaN), "UpdateClip.", "NaN");
            UpdateClip remembering = make(Threshold.Percentile());
            new Adam([w]) { UpdateClip = remembering }.Step();
            Teaches<InvalidOperationException>(() => new Adam([w]) { UpdateClip = remembering }.Step(), "UpdateClip.", "second", "Make a stage for each");
            UpdateClip twice = make(Threshold.Percentile());
            Teaches<InvalidOperationException>(
                () => new Adam([new ParameterGroup([w]) { UpdateClip = twice }], 0.1) { UpdateClip = twice }.Step(), "listed twice", "Make a stage for each");
            Teaches<InvalidOperationException>(() => new Adam([w]) { UpdateClip = make(Schedule.Constant(0)) }.Step(), "UpdateClip.", "schedule", "must be positive");
            OptimizerState state = new Adam([w]) { UpdateClip = make(Threshold.Percentile()) }.State();
            Teaches<ArgumentException>(() => new Adam([w]).Restore(state), "percentile 10 of 1000", "UpdateClip");
        }

        // One that remembers nothing may be anywhere.
        UpdateClip shared = UpdateClip.Rms(1);
        new Adam([new ParameterGroup([w]) { UpdateClip = shared }], 0.1) { UpdateClip = shared }.Step();
        Sgd sgd = new([new ParameterGroup([w]) { UpdateClip = UpdateClip.StableAdamW() }], 0.1);
        float before = w.ToArray()[0];
        Teaches<InvalidOperationException>(() => sgd.Step(), "Sgd keeps no such mean", "UpdateClip.Rms");
        Assert.Equal((0, before), (sgd.StepCount, w.ToArray()[0]));
        Assert.Equal("Clippy(1, relative 0.5, absolute 0.1)", Clips["clippy"](1).ToString());
        Assert.Equal("StableAdamW(percentile 10 of 1000, epsilon 0.01)", Clips["stable"](Threshold.Percentile()).ToString());
    }

    private static JsonSerializerOptions JsonOptions { get; } = new() { IncludeFields = true };

    private static void AssertNear(IEnumerable<float> expected, IEnumerable<float> actual, string what) =>
        AssertNear(expected.Select(value => (double)value), actual.Select(value => (double)value), what);

    private static void AssertNear(IEnumerable<double> expected, IEnumerable<double> actual, string what)
    {
        Assert.Equal(expected.Count(), actual.Count());
        foreach ((double want, double have) in expected.Zip(actual))
        {
            Assert.True(want.Equals(have) || Math.Abs(want - have) <= Tolerance * Math.Max(1, Math.Abs(want)), $"{what}: {have:R}, expected {want:R}");
        }
    }

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
