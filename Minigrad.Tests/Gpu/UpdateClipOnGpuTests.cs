using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
using Minigrad.Tests.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>Clips of updates on the device against the CPU's: each optimizer with each, several chunks and windows, steps that are not made, and what is sent.</summary>
public sealed class UpdateClipOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>As for updates that are not clipped: some roundings in each of four steps, multiplied by the rules that divide by a difference.</summary>
    private const float UpdateTolerance = 16f * 4f / (1 << 23);

    /// <summary>A coefficient is a sum of squares of float32 results that differ by a few units in the last place.</summary>
    private const double CoefficientTolerance = 1e-5;

    public static TheoryData<string, string> KindsAndClips => UpdateClipTests.KindsAndClips;

    public static TheoryData<string> ThresholdNames => UpdateThresholdTests.ThresholdNames;

    private GpuBackend Gpu => fixture.Backend;

    [Theory]
    [MemberData(nameof(KindsAndClips))]
    public void Every_optimizer_is_clipped_as_on_the_CPU(string kind, string clip)
    {
        int[][] shapes = [[4, 3], [5], [0, 2], [1]];
        Run onCpu = new(CpuBackend.Instance, shapes, kind, clip);
        Run onGpu = new(Gpu, shapes, kind, clip);
        foreach (Run run in (Run[])[onCpu, onGpu])
        {
            (run.Optimizer.WeightDecay, run.Optimizer.Maximize) = (0.1, true);
            run.Optimizer.Clip = [Clip.GlobalNorm(20)];
        }

        for (int step = 0; step < 4; step++)
        {
            int leftOut = step == 2 ? 1 : -1;
            float scale = step == 3 ? 40f : 1f;
            AssertSame(onCpu, onGpu, onCpu.Step(step, scale, leftOut), onGpu.Step(step, scale, leftOut), $"{kind}, {clip}, step {step + 1}");
        }
    }

    [Fact]
    public void Parameters_of_several_chunks_and_several_launches_are_measured_whole()
    {
        int[][] shapes = [[320, 512], .. Enumerable.Range(1, 20).Select(i => (int[])[i % 4, 3])];
        foreach (string clip in (string[])["rms", "stable", "clippy"])
        {
            Run onCpu = new(CpuBackend.Instance, shapes, "adam", clip);
            Run onGpu = new(Gpu, shapes, "adam", clip);
            AssertSame(onCpu, onGpu, onCpu.Step(0, 1f), onGpu.Step(0, 1f), clip);
        }
    }

    [Fact]
    public void Groups_have_their_own_rates_and_stages_come_first()
    {
        (Tensor[] Parameters, StepReport Report) Make(Backend backend)
        {
            Tensor[] parameters = On(backend, [3, 2], [4], [5, 2]);
            AdamW optimizer = new(
                [
                    new ParameterGroup([parameters[0]]) { LearningRate = 0.5, Clip = [Clip.Value(0.3)] },
                    new ParameterGroup([parameters[1]]) { WeightDecay = 0.3 },
                    new ParameterGroup([parameters[2]]) { Clip = [Clip.UnitNorm(0.1)] },
                ],
                0.1)
            { Clip = [Clip.GlobalNorm(0.5)], UpdateClip = UpdateClip.StableAdamW(0.05) };
            StepReport? report = null;
            for (int step = 0; step < 3; step++)
            {
                UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 2 ? 30f : 1f));
                report = optimizer.Step();
            }

            return (parameters, report!);
        }

        (Tensor[] Parameters, StepReport Report) onCpu = Make(CpuBackend.Instance);
        (Tensor[] Parameters, StepReport Report) onGpu = Make(Gpu);
        AssertClose(onCpu.Report, onGpu.Report, "groups");
        Assert.True(onCpu.Report.UpdateCoefficient < 0.99);
        for (int i = 0; i < 3; i++)
        {
            AssertClose(onCpu.Parameters[i].ToArray(), onGpu.Parameters[i].ToArray(), $"parameter {i}");
        }
    }

    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void Every_clip_under_every_threshold_is_the_same_on_both(string threshold)
    {
        foreach (string clip in UpdateThresholdTests.Clips.Keys)
        {
            Run Make(Backend backend)
            {
                Run run = new(backend, [[4, 3], [5], [0, 2], [1]], "adam", "none");
                run.Optimizer.UpdateClip = UpdateThresholdTests.Clips[clip](StageKinds.Thresholds[threshold]());
                run.Optimizer.NonFinite = NonFinitePolicy.SkipStep;
                return run;
            }

            (Run onCpu, Run onGpu) = (Make(CpuBackend.Instance), Make(Gpu));
            for (int step = 0; step < 8; step++)
            {
                float scale = step switch { 3 => float.NaN, 5 => 1e25f, 6 => 20f, _ => 1f };
                int leftOut = step == 2 ? 1 : -1;
                string what = $"{clip}, {threshold}, step {step + 1}";
                AssertSame(onCpu, onGpu, onCpu.Step(step, scale, leftOut), onGpu.Step(step, scale, leftOut), what);
                AssertSameMemories(onCpu.Optimizer, onGpu.Optimizer, what);
            }
        }
    }

    [Fact]
    public void A_size_that_overflows_leaves_nothing_of_the_update_on_the_device_too()
    {
        foreach (Threshold threshold in (Threshold[])[1, Threshold.Percentile(50), Threshold.ZScore(warmup: 1)])
        {
            Tensor w = Tensor.Of([0f, 1f]).To(Gpu).WithGradient("w");
            w.Gradient = Tensor.Of([1e10f, 1f]).To(Gpu);
            StepReport report = new Sgd([w], 1e-2) { UpdateClip = UpdateClip.Clippy(0.1, 1e-31, threshold) }.Step();
            Assert.Equal((0.0, double.PositiveInfinity), (report.UpdateCoefficient, report.Stages[0].Norm));
            Assert.Equal([0f, 1f], w.ToArray());
        }
    }

    [Fact]
    public void Histories_go_along_from_group_to_group_and_between_host_and_device()
    {
        foreach (string clip in UpdateThresholdTests.Clips.Keys)
        {
            UpdateClip Make() => UpdateThresholdTests.Clips[clip](Threshold.Percentile(40, window: 3));
            List<string> Train(Backend backend)
            {
                Tensor[] parameters = On(backend, [320, 512], [4], [5, 2]);
                AdamW optimizer = new([new ParameterGroup([parameters[0]], "a"), new ParameterGroup([parameters[1]], "b"), new ParameterGroup([parameters[2]], "c")], 0.1) { UpdateClip = Make() };
                List<string> told = [];
                for (int step = 0; step < 8; step++)
                {
                    // A group comes to have a clip of its own, a stage of one's own takes the steps to the host, and both end.
                    optimizer.Groups[1].UpdateClip = step switch { 2 => Make(), 5 => null, _ => optimizer.Groups[1].UpdateClip };
                    optimizer.Clip = step is 3 or 6 ? [new OwnStage()] : [Clip.GlobalNorm(Threshold.Percentile(90, window: 4))];
                    UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 6 ? 30f : 1f));
                    StepReport report = optimizer.Step();
                    told.AddRange(report.Stages.Select(stage => $"{stage.Stage} {stage.Norm:g4} {stage.Threshold:g4} {stage.Coefficient:g4} {stage.Acted}"));
                    told.AddRange(report.UpdateCoefficients.Select(part => $"{part.Name} {part.Coefficient:g4}"));
                }

                told.AddRange(optimizer.State().Stages.Select(stage => $"{stage.Stage} {string.Join(' ', stage.Memories.Select(memory => string.Join(',', memory.Select(number => $"{number:g4}"))))}"));
                return told;
            }

            Assert.Equal(Train(CpuBackend.Instance), Train(Gpu));
        }
    }

    /// <summary>A threshold that remembers takes one launch more for each update, however many windows; a number or a schedule takes none.</summary>
    [Theory]
    [InlineData("fixed", 3, 4)]
    [InlineData("schedule", 3, 4)]
    [InlineData("percentile", 3, 5)]
    [InlineData("median", 17, 8)]
    [InlineData("fixed", 17, 7)]
    public void Remembering_the_sizes_of_updates_takes_one_launch(string threshold, int parameterCount, int launches)
    {
        Run run = new(Gpu, [.. Enumerable.Repeat((int[])[3, 2], parameterCount)], "adam", "none");
        (run.Optimizer.UpdateClip, run.Optimizer.CheckInterval) = (UpdateClip.Rms(StageKinds.Thresholds[threshold]()), 64);
        run.Step(0, 1f);
        GpuCounters before = Gpu.Counters;
        run.Optimizer.Step();
        Assert.Equal(new GpuCounters(launches, 0, 0, 0, 0), Gpu.Counters - before);
    }

    [Fact]
    public void Reports_read_later_say_what_each_clip_and_each_bound_did()
    {
        Tensor[] parameters = On(Gpu, [2], [40_000]);
        Sgd optimizer = new([new ParameterGroup([parameters[0]], "a"), new ParameterGroup([parameters[1]], "b") { UpdateClip = UpdateClip.Rms(Threshold.Percentile(0, window: 4)) }], 0.5)
        {
            Clip = [Clip.Value(-4, 2), Clip.GlobalNorm(1000), Clip.GlobalNorm(1000), Clip.GlobalNorm(1000), Clip.Value(3.5)],
            UpdateClip = UpdateClip.Rms(3.25),
        };
        StepReport Step(params float[] first)
        {
            UpdateClipTests.Set(parameters, [first, [.. Enumerable.Repeat(1f, 40_000)]]);
            return optimizer.Step();
        }

        StepReport[] reports = [Step(1f, 2f), Step(0f, 2.0000002f), Step(-4f, -4f), Step(-4.0000005f, 0f), Step(-3.5f, 0f), Step(-3.6f, 0f)];
        optimizer.Clip = [Clip.Value(1)];
        StepReport[] later = [Step(1f, 1f), Step(1f, 1.5f)];
        optimizer.UpdateClip = null;
        Assert.Equal(
            [(false, false), (true, false), (false, true), (true, true), (false, false), (false, true)],
            reports.Select(report => (report.Stages[0].Acted, report.Stages[4].Acted)));
        Assert.Equal([false, true, true, true, false, true], reports.Select(report => report.WasClipped));
        Assert.Equal([false, true], later.Select(report => report.Stages[0].Acted));
        Assert.Equal(["b: update Rms(percentile 0 of 4)", "update Rms(3.25)"], reports[2].Stages.Skip(5).Select(stage => stage.Stage));
        Assert.Equal([false, false, true, false], reports[..4].Select(report => report.Stages[6].Acted));
        Assert.Equal((3.5, 3.25, 3.25 / 3.5), (Math.Round(reports[2].Stages[6].Norm, 5), reports[2].Stages[6].Threshold, reports[2].Stages[6].Coefficient), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-5 && a.Item2 == b.Item2 && Math.Abs(a.Item3 - b.Item3) < 1e-5);
        Assert.Equal((1.0, 1.0, false), (Math.Round(later[0].Stages[1].Norm, 5), Math.Round(later[0].Stages[1].Threshold, 5), later[0].Stages[1].Acted));
    }

    /// <summary>Every order of stages, by the device, by the host over the device, and by the CPU.</summary>
    [Fact]
    public void Whether_a_value_stage_acted_is_known_to_all_alike()
    {
        Dictionary<string, Func<ClipStage>> kinds = new()
        {
            ["value"] = () => Clip.Value(0.9),
            ["two-sided"] = () => Clip.Value(-1.1, 0.6),
            ["rule"] = () => Clip.Value(Threshold.Percentile(50, window: 3)),
            ["global"] = () => Clip.GlobalNorm(2.5),
            ["rows"] = () => Clip.UnitNorm(0.6),
            ["columns"] = () => Clip.UnitNorm(0.6, layout: UnitLayout.Columns),
            ["L1"] = () => Clip.ParameterNorm(3, order: 1),
        };
        foreach ((string first, string second, string third) in kinds.Keys.SelectMany(a => kinds.Keys.Select(b => (a, b, b == "value" ? "two-sided" : "value"))))
        {
            bool[] Acted(Backend backend, bool byHost)
            {
                Tensor[] parameters = On(backend, [4, 3], [5], [0, 2]);
                Sgd optimizer = new(parameters, learningRate: 0) { NonFinite = NonFinitePolicy.SkipStep };
                ClipStage[] stages = [kinds[first](), kinds[second](), kinds[third]()];
                List<bool> acted = [];
                for (int step = 0; step < 5; step++)
                {
                    optimizer.Clip = byHost ? [.. stages, new OwnStage()] : stages;
                    UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 3 ? float.NaN : 0.2f + (0.3f * step)));
                    acted.AddRange(optimizer.Step().Stages.Take(3).Select(stage => stage.Acted));
                }

                return [.. acted];
            }

            bool[] expected = Acted(CpuBackend.Instance, byHost: false);
            string what = $"{first}, {second}, {third}: ";
            foreach ((Backend backend, bool byHost) in ((Backend, bool)[])[(Gpu, false), (Gpu, true), (CpuBackend.Instance, true)])
            {
                string actual = string.Join(' ', Acted(backend, byHost));
                Assert.True(string.Join(' ', expected) == actual, $"{what}{backend.Name}{(byHost ? " by the host" : string.Empty)} says {actual}, and the CPU {string.Join(' ', expected)}.");
            }
        }
    }

    [Fact]
    public void A_step_that_is_not_made_writes_nothing()
    {
        foreach (string clip in PlainOptimizer.Clips)
        {
            Run run = new(Gpu, [[3], [2]], "nadam", clip);
            run.Optimizer.NonFinite = NonFinitePolicy.SkipStep;
            run.Step(0, 1f);
            (uint[] bits, OptimizerState state) = (UpdateClipTests.Bits(run.Parameters), run.Optimizer.State());
            UpdateClipTests.Set(run.Parameters, [[1f, float.NaN, 1f], [1f, 1f]]);
            StepReport report = run.Optimizer.Step();
            Assert.True(report.WasSkipped);
            Assert.Equal(1, report.UpdateCoefficient);
            Assert.Equal(bits, UpdateClipTests.Bits(run.Parameters));
            Assert.Equal(state.Parameters.Select(parameter => parameter.Step), run.Optimizer.State().Parameters.Select(parameter => parameter.Step));
            Assert.Equal(state.Parameters.SelectMany(parameter => parameter.Slots), run.Optimizer.State().Parameters.SelectMany(parameter => parameter.Slots));
        }
    }

    [Fact]
    public void Bad_values_that_count_as_zero_are_measured_as_zero()
    {
        Run onCpu = new(CpuBackend.Instance, [[3], [2]], "adam", "rms");
        Run onGpu = new(Gpu, [[3], [2]], "adam", "rms");
        StepReport Step(Run run)
        {
            run.Optimizer.NonFinite = NonFinitePolicy.ZeroBadValues;
            UpdateClipTests.Set(run.Parameters, [[1f, float.NaN, 1e25f], [float.PositiveInfinity, 1f]]);
            return run.Optimizer.Step();
        }

        AssertSame(onCpu, onGpu, Step(onCpu), Step(onGpu), "zeroed");
    }

    /// <summary>To measure, decide and update comes one launch that measures the update; each further window takes it again.</summary>
    [Theory]
    [InlineData(3, 4)]
    [InlineData(16, 4)]
    [InlineData(17, 7)]
    public void A_clipped_update_is_one_launch_more(int parameterCount, int launches)
    {
        foreach (string clip in (string[])["rms", "stable", "clippy"])
        {
            Run run = new(Gpu, [.. Enumerable.Repeat((int[])[3, 2], parameterCount)], "adam", clip);
            run.Optimizer.CheckInterval = 64;
            run.Step(0, 1f);
            GpuCounters before = Gpu.Counters;
            run.Optimizer.Step();
            Assert.Equal(new GpuCounters(launches, 0, 0, 0, 0), Gpu.Counters - before);
        }
    }

    [Fact]
    public void Reports_are_read_later_and_stay_their_steps_own()
    {
        Tensor[] parameters = On(Gpu, [1], [1]);
        Sgd optimizer = new(parameters, 0.1) { UpdateClip = UpdateClip.Rms(1) };
        StepReport Step(float first, float? second)
        {
            UpdateClipTests.Set(parameters, [[first], second is { } value ? [value] : null]);
            return optimizer.Step();
        }

        StepReport[] reports = [Step(2f, 0.5f), Step(1f, 8f), Step(4f, null)];
        optimizer.UpdateClip = null;
        StepReport without = Step(9f, 9f);
        Assert.Equal([("p0", 0.5), ("p1", 1.0)], Rounded(reports[0]));
        Assert.Equal([("p0", 1.0), ("p1", 0.125)], Rounded(reports[1]));
        Assert.Equal([("p0", 0.25)], Rounded(reports[2]));
        Assert.Equal([("p0", 1.0), ("p1", 1.0)], Rounded(without));
        Assert.Equal(0.125, reports[1].UpdateCoefficient, 1e-6);
    }

    [Fact]
    public void A_step_that_the_host_decides_is_clipped_as_well()
    {
        // A stage of one's own needs the host, which measures updates by the seam.
        foreach (string clip in (string[])["rms", "stable", "clippy"])
        {
            Run onCpu = new(CpuBackend.Instance, [[4, 3], [5], [0, 2]], "amsgrad", clip);
            Run onGpu = new(Gpu, [[4, 3], [5], [0, 2]], "amsgrad", clip);
            foreach (Run run in (Run[])[onCpu, onGpu])
            {
                run.Optimizer.Clip = [new OwnStage(), Clip.UnitNorm(0.5), Clip.Value(0.4)];
            }

            for (int step = 0; step < 3; step++)
            {
                AssertSame(onCpu, onGpu, onCpu.Step(step, 1f), onGpu.Step(step, 1f), $"{clip}, step {step + 1}");
            }
        }
    }

    [Fact]
    public void Two_runs_give_the_same_bits()
    {
        uint[] Train(string clip)
        {
            Run run = new(Gpu, [[70, 100], [5]], "adam", clip);
            run.Step(0, 1f);
            run.Step(1, 30f);
            return UpdateClipTests.Bits(run.Parameters);
        }

        foreach (string clip in PlainOptimizer.Clips)
        {
            Assert.Equal(Train(clip), Train(clip));
        }
    }

    [Fact]
    public void Each_example_is_clipped_on_the_device_as_on_the_CPU()
    {
        (float[] Gradient, PerExampleReport Report) Make(Backend backend, double threshold, double noise)
        {
            Tensor w = Tensor.Normal([3, 2], generator: new Generator(4)).To(backend).WithGradient("w");
            Tensor x = Tensor.Normal([5, 3], generator: new Generator(6)).To(backend);
            PerExampleReport report = new PerExampleClip(threshold, noise, new Generator(8)).Backward(
                [w], 5, row => x.IndexSelect(0, [row]).MatMul(w).Square().Sum());
            return (w.Gradient!.ToArray(), report);
        }

        double median = Make(CpuBackend.Instance, double.PositiveInfinity, 0).Report.Norms.Order().ElementAt(2);
        (float[] Gradient, PerExampleReport Report) onCpu = Make(CpuBackend.Instance, median, 0.5);
        (float[] Gradient, PerExampleReport Report) onGpu = Make(Gpu, median, 0.5);
        Assert.Equal(2, onCpu.Report.ClippedCount);
        Assert.InRange(onGpu.Report.ClippedCount, 2, 3); // The median itself may be above by rounding.
        Assert.All(onCpu.Report.Norms.Zip(onGpu.Report.Norms), pair => Assert.Equal(pair.First, pair.Second, CoefficientTolerance * pair.First));
        AssertClose(onCpu.Gradient, onGpu.Gradient, "the gradient");
    }

    private static Tensor[] On(Backend backend, params int[][] shapes) => [.. shapes.Select((shape, i) =>
        Tensor.Normal(shape, generator: new Generator(100 + (ulong)i)).To(backend).WithGradient($"p{i}"))];

    private static (string Name, double Coefficient)[] Rounded(StepReport report) =>
        [.. report.UpdateCoefficients.Select(part => (part.Name, Math.Round(part.Coefficient, 6)))];

    private static void AssertSameMemories(Optimizer expected, Optimizer actual, string what)
    {
        IReadOnlyList<StageState> known = expected.State().Stages;
        IReadOnlyList<StageState> found = actual.State().Stages;
        Assert.Equal(known.Select(stage => (what, stage.Stage, stage.Asked)), found.Select(stage => (what, stage.Stage, stage.Asked)));
        foreach ((double one, double other) in known.SelectMany(stage => stage.Memories).SelectMany(memory => memory)
            .Zip(found.SelectMany(stage => stage.Memories).SelectMany(memory => memory)))
        {
            Assert.True(Math.Abs(one - other) <= CoefficientTolerance * Math.Max(1e-2, Math.Abs(one)), $"{what}: {other:R} is remembered on the device and {one:R} on the CPU.");
        }
    }

    private static void AssertClose(StepReport expected, StepReport actual, string what)
    {
        Assert.Equal(expected.Stages.Select(stage => (what, stage.Stage, stage.Acted)), actual.Stages.Select(stage => (what, stage.Stage, stage.Acted)));
        foreach ((double one, double other) in expected.Stages.Zip(actual.Stages).SelectMany(pair => ((double, double)[])
            [(pair.First.Norm, pair.Second.Norm), (pair.First.Threshold, pair.Second.Threshold), (pair.First.Coefficient, pair.Second.Coefficient)]))
        {
            Assert.True(one.Equals(other) || Math.Abs(one - other) <= CoefficientTolerance * Math.Abs(one), $"{what}: a stage has {other:R} on the device and {one:R} on the CPU.");
        }

        Assert.Equal(expected.UpdateCoefficients.Select(part => part.Name), actual.UpdateCoefficients.Select(part => part.Name));
        foreach (((string name, double coefficient), (_, double found)) in expected.UpdateCoefficients.Zip(actual.UpdateCoefficients))
        {
            Assert.True(
                Math.Abs(coefficient - found) <= CoefficientTolerance * coefficient,
                $"{what}: the coefficient of {name} is {found:R} on the device and {coefficient:R} on the CPU.");
        }
    }

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            bool isClose = expected[i].Equals(actual[i]) || MathF.Abs(expected[i] - actual[i]) <= UpdateTolerance * MathF.Max(1f, MathF.Abs(expected[i]));
            Assert.True(isClose, $"{what}: element {i} is {actual[i]:R} on the device and {expected[i]:R} on the CPU.");
        }
    }

    private static void AssertSame(Run expected, Run actual, StepReport onCpu, StepReport onGpu, string what)
    {
        AssertClose(onCpu, onGpu, what);
        OptimizerState onHost = expected.Optimizer.State();
        OptimizerState onDevice = actual.Optimizer.State();
        for (int i = 0; i < expected.Parameters.Length; i++)
        {
            AssertClose(expected.Parameters[i].ToArray(), actual.Parameters[i].ToArray(), $"{what}: parameter {i}");
            Assert.Equal(onHost.Parameters[i].Step, onDevice.Parameters[i].Step);
            for (int slot = 0; slot < onHost.Parameters[i].Slots.Count; slot++)
            {
                AssertClose(onHost.Parameters[i].Slots[slot], onDevice.Parameters[i].Slots[slot], $"{what}: state {slot} of parameter {i}");
            }
        }
    }

    /// <summary>An optimizer over parameters of a device, with the same numbers on every device.</summary>
    private sealed class Run
    {
        public Run(Backend backend, int[][] shapes, string kind, string clip)
        {
            Parameters = On(backend, shapes);
            Optimizer = OptimizerTests.Make(kind, Parameters);
            (Optimizer.UpdateClip, Optimizer.CheckInterval) = (PlainOptimizer.ClipOf(clip), 1);
        }

        public Tensor[] Parameters { get; }

        public Optimizer Optimizer { get; }

        public StepReport Step(int step, float scale, int leftOut = -1)
        {
            float[]?[] gradients = UpdateClipTests.Gradients(Parameters, step, scale);
            UpdateClipTests.Set(Parameters, [.. gradients.Select((gradient, i) => i == leftOut ? null : gradient)]);
            return Optimizer.Step();
        }
    }

    private sealed class OwnStage : ClipStage
    {
        public override string ToString() => "Half";

        protected internal override double Clip(GradientSet gradients)
        {
            double norm = gradients.Norm();
            gradients.Scale(0.5);
            return norm;
        }
    }
}
