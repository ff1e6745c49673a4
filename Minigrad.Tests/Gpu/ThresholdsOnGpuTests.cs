using System.Text.Json;
using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
using Minigrad.Tests.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>Every stage under every threshold on the device against the CPU, over steps of which some are not made.</summary>
public sealed class ThresholdsOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Norms are sums of the same squares in another order; after a stage that writes, of numbers rounded to float32.</summary>
    private const double Tolerance = 2e-6;

    public static TheoryData<string> StageNames => [.. StageKinds.Stages.Keys];

    public static TheoryData<string> ThresholdNames => [.. StageKinds.Thresholds.Keys];

    private GpuBackend Gpu => fixture.Backend;

    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void Every_stage_under_every_threshold_is_the_same_on_both(string threshold)
    {
        foreach (string stage in StageKinds.Stages.Keys)
        {
            ClipStage[] Stages() => [StageKinds.Stages[stage](StageKinds.Thresholds[threshold]())];
            Compare($"{stage}, {threshold}", Stages, NonFinitePolicy.SkipStep, [0.5f, 0.5f, float.NaN, 0.5f, 1e25f, 0f, 3f]);
        }
    }

    [Theory]
    [MemberData(nameof(StageNames))]
    public void Stages_after_one_another_see_what_those_before_left(string stage)
    {
        ClipStage[] Stages() =>
        [
            Clip.Value(-0.9, 1.5),
            StageKinds.Stages[stage](Threshold.Percentile(40, window: 3)),
            Clip.UnitNorm(0.9, layout: UnitLayout.Columns),
            Clip.UnitNorm(0.8),
            Clip.BlockRms(Threshold.MedianDeviation(0.1, window: 5, warmup: 1)),
            Clip.Value(-0.5, 0.25),
        ];
        foreach (NonFinitePolicy policy in Enum.GetValues<NonFinitePolicy>())
        {
            Compare($"{stage} among others, {policy}", Stages, policy, [0.5f, 0.1f, float.PositiveInfinity, 2f]);
        }
    }

    [Fact]
    public void More_memory_than_an_array_holds_is_refused_before_the_device_begins_a_step()
    {
        Tensor parameter = Tensor.Ones(1100, 1).To(Gpu).WithGradient("embedding");
        parameter.Gradient = Tensor.Ones(1100, 1).To(Gpu);
        Sgd optimizer = new([parameter], 0.5) { CheckInterval = 1 };
        optimizer.Step();
        optimizer.Clip = [Clip.UnitNorm(Threshold.Percentile(10, window: 1_000_000))];
        string message = Assert.Throws<InvalidOperationException>(() => optimizer.Step()).Message;
        Assert.Contains("'embedding' of shape [1100, 1]", message, StringComparison.Ordinal);
        Assert.Equal(1, optimizer.StepCount);
        optimizer.Clip = [];
        Assert.Equal(2, optimizer.Step().Step);
        Assert.All(parameter.ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void More_memory_than_a_buffer_holds_is_refused_and_leaves_the_counts_as_they_are()
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 2).Select(_ => Tensor.Ones(300, 1).To(Gpu).WithGradient())];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Ones(300, 1).To(Gpu);
        }

        Sgd optimizer = new(parameters, 0.5);
        optimizer.Step();
        optimizer.Clip = [Clip.UnitNorm(Threshold.Percentile(10, window: 1_000_000))];
        string message = Assert.Throws<GpuException>(() => optimizer.Step()).Message;
        Assert.Contains("by row takes 2000002 numbers for each of 600, 1200001200 in all", message, StringComparison.Ordinal);
        Assert.Contains("smaller window", message, StringComparison.Ordinal);
        Assert.Equal(1, optimizer.StepCount);
        optimizer.Clip = [];
        Assert.Equal(2, optimizer.Step().Step);
        Assert.Equal(2, optimizer.StepCount);
        Assert.All(parameters, parameter => Assert.All(parameter.ToArray(), value => Assert.Equal(0f, value)));
    }

    [Fact]
    public void Under_Propagate_the_device_clamps_beside_a_NaN_and_makes_all_NaN_without_a_threshold()
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            Tensor Step(ClipStage stage, Backend backend)
            {
                Tensor w = Tensor.Zeros(3).To(backend).WithGradient("w");
                w.Gradient = Tensor.Of([bad, 100f, -100f]).To(backend);
                new Sgd([w], learningRate: 1) { NonFinite = NonFinitePolicy.Propagate, Clip = [stage] }.Step();
                return w;
            }

            foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
            {
                Assert.Equal([-MathF.Min(bad, 5f), -5f, 5f], Step(Clip.Value(5), backend).ToArray());
                Assert.All(Step(Clip.Value(Threshold.Percentile(50)), backend).ToArray(), value => Assert.True(float.IsNaN(value)));
            }
        }
    }

    [Fact]
    public void A_warm_up_compares_what_is_no_norm_with_itself()
    {
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
        {
            foreach (ClipStage stage in (ClipStage[])[Clip.BlockRms(Threshold.MovingAverage(absolute: 1)), Clip.AverageNorm(Threshold.MovingAverage(absolute: 1))])
            {
                Tensor[] parameters = [Tensor.Zeros(100).To(backend).WithGradient("w"), Tensor.Zeros(2).To(backend).WithGradient("v")];
                parameters[0].Gradient = Tensor.Full([100], 0.5f).To(backend);
                parameters[1].Gradient = Tensor.Full([2], 40f).To(backend);
                new Sgd(parameters, learningRate: 1) { Clip = [stage] }.Step();
                Assert.All(parameters[0].ToArray(), value => Assert.Equal(-0.5f, value));
                Assert.All(parameters[1].ToArray(), value => Assert.InRange(value, -1.5f, -0.9f));
            }
        }
    }

    [Fact]
    public void Random_gradients_of_all_magnitudes_are_clipped_alike()
    {
        // Each sample is a step on both, of 4 parameters whose elements are from 1e-30 to 1e30 or 0.
        Gen<float> element = Gen.Frequency(
            (8, Gen.Select(Gen.Double[-1, 1], Gen.Int[-30, 30], (x, exponent) => (float)(x * Math.Pow(10, exponent)))),
            (1, Gen.Const(0f)),
            (1, Gen.OneOfConst(float.NaN, float.PositiveInfinity, float.NegativeInfinity)));
        (string, Func<Threshold, ClipStage>)[] stages = [.. StageKinds.Stages.Select(entry => (entry.Key, entry.Value))];
        element.Array[24].Select(Gen.Int[0, stages.Length - 1], Gen.Double[-32, 15], Gen.Enum<NonFinitePolicy>()).Sample(
            (values, number, exponent, policy) =>
            {
                (string name, Func<Threshold, ClipStage> make) = stages[number];
                Run onCpu = new(CpuBackend.Instance, [make(Math.Pow(10, exponent))], policy);
                Run onGpu = new(Gpu, [make(Math.Pow(10, exponent))], policy);
                Assert.Equal(onCpu.Step(values), onGpu.Step(values));
                AssertSame(onCpu, onGpu, $"{name}({Math.Pow(10, exponent)}), {policy}");
            },
            iter: Gpu.Device.Kind == GpuDeviceKind.CpuAccelerator ? 150 : 1000);
    }

    [Fact]
    public void A_history_goes_along_from_the_host_to_the_device_and_back()
    {
        foreach (string stage in StageKinds.Stages.Keys)
        {
            ClipStage[] Stages() => [StageKinds.Stages[stage](Threshold.Percentile(40, window: 3))];
            Run stays = new(CpuBackend.Instance, Stages(), NonFinitePolicy.Throw);
            Run moves = new(CpuBackend.Instance, Stages(), NonFinitePolicy.Throw);
            foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu, Gpu, CpuBackend.Instance, Gpu])
            {
                moves.MoveTo(backend);
                stays.Step(stays.Steps, 1f);
                moves.Step(moves.Steps, 1f);
                AssertSame(stays, moves, $"{stage} on {backend.Name}");
            }
        }
    }

    [Fact]
    public void A_state_saved_on_the_device_goes_on_there_to_the_same_bits()
    {
        foreach (string stage in StageKinds.Stages.Keys)
        {
            ClipStage[] Stages() => [StageKinds.Stages[stage](Threshold.ZScore(0.3, warmup: 2)), Clip.AverageNorm(Schedule.Exponential(0.1, 0.9))];
            Run run = new(Gpu, Stages(), NonFinitePolicy.Throw);
            Run other = new(Gpu, Stages(), NonFinitePolicy.Throw);
            for (int step = 0; step < 3; step++)
            {
                run.Step(step, 0.5f);
            }

            other.Step(7, 0.5f);
            other.Continue(run);
            for (int step = 3; step < 6; step++)
            {
                run.Step(step, 0.5f);
                other.Step(step, 0.5f);
                Assert.Equal(run.Report!.Stages, other.Report!.Stages);
                Assert.Equal(run.Parameters.Select(parameter => parameter.ToArray()), other.Parameters.Select(parameter => parameter.ToArray()));
            }
        }
    }

    [Fact]
    public void Reports_of_earlier_steps_keep_their_stages_when_there_are_more()
    {
        Run run = new(Gpu, [Clip.GlobalNorm(0.5)], NonFinitePolicy.Throw);
        run.Step(0, 0.5f);
        StepReport early = run.Report!;
        run.Optimizer.Clip = [.. Enumerable.Range(1, 9).Select(i => Clip.GlobalNorm(0.5 / i))];
        run.Step(1, 0.5f);
        Assert.Equal((1, 9), (early.Stages.Count, run.Report!.Stages.Count));
        Assert.Equal((early.Norm, 0.5), (early.Stages[0].Norm, early.Stages[0].Threshold));
        Assert.Equal(0.5 / 9, run.Report.Stages[8].Threshold);
    }

    [Fact]
    public void Groups_may_come_to_have_stages_of_their_own()
    {
        Run Make(Backend backend)
        {
            Run run = new(backend, [Clip.ParameterNorm(Threshold.Percentile(30, window: 3))], NonFinitePolicy.Throw, groups: true);
            for (int step = 0; step < 3; step++)
            {
                run.Step(step, 0.5f);
            }

            run.Optimizer.Groups[1].Clip = [Clip.UnitNorm(Threshold.Percentile(30, window: 3), layout: UnitLayout.Columns)];
            for (int step = 3; step < 6; step++)
            {
                run.Step(step, 0.5f);
            }

            return run;
        }

        AssertSame(Make(CpuBackend.Instance), Make(Gpu), "groups");
    }

    [Fact]
    public void A_history_goes_on_through_steps_of_the_host_with_a_stage_of_ones_own()
    {
        foreach (string stage in StageKinds.Stages.Keys)
        {
            Run Make(Backend backend)
            {
                ClipStage remembering = StageKinds.Stages[stage](Threshold.Percentile(40, window: 3));
                Run run = new(backend, [remembering], NonFinitePolicy.Throw);
                foreach (ClipStage[] stages in (ClipStage[][])[[remembering], [remembering, new Nothing()], [remembering], [remembering, new Nothing()], [remembering]])
                {
                    run.Optimizer.Clip = stages;
                    run.Step(run.Steps, 1f);
                    run.Step(run.Steps, 0.5f);
                }

                return run;
            }

            AssertSame(Make(CpuBackend.Instance), Make(Gpu), stage);
        }
    }

    /// <summary>A stage that remembers norms takes one launch more; none that does not takes any.</summary>
    [Theory]
    [InlineData("global", "fixed", 3)]
    [InlineData("global", "schedule", 3)]
    [InlineData("global", "percentile", 4)]
    [InlineData("block RMS", "fixed", 3)]
    [InlineData("average", "z-score", 4)]
    [InlineData("rows", "fixed", 5)]
    [InlineData("columns", "fixed", 5)]
    [InlineData("columns", "median", 6)]
    [InlineData("value", "fixed", 3)]
    [InlineData("value", "moving average", 5)]
    public void Remembering_takes_one_launch(string stage, string threshold, int launches)
    {
        Run run = new(Gpu, [StageKinds.Stages[stage](StageKinds.Thresholds[threshold]())], NonFinitePolicy.Throw, empty: false) { Optimizer = { CheckInterval = 64 } };
        Tensor[] gradients = run.Gradients(0, 0.5f);
        for (int step = 0; step < 3; step++)
        {
            GpuCounters before = Gpu.Counters;
            run.Use(gradients);
            run.Optimizer.Step();
            if (step == 2)
            {
                Assert.Equal(new GpuCounters(launches, 0, 0, 0, 0), Gpu.Counters - before);
            }
        }
    }

    private static void AssertSame(Run expected, Run actual, string what)
    {
        Assert.Equal((what, expected.Report is null), (what, actual.Report is null));
        if (expected.Report is { } report)
        {
            Assert.Equal((what, report.WasSkipped, report.WasClipped), (what, actual.Report!.WasSkipped, actual.Report.WasClipped));
            Assert.Equal(report.Stages.Select(stage => (what, stage.Stage, stage.Acted)), actual.Report.Stages.Select(stage => (what, stage.Stage, stage.Acted)));
            foreach ((StageReport onCpu, StageReport onGpu) in report.Stages.Zip(actual.Report.Stages))
            {
                AssertNear(onCpu.Norm, onGpu.Norm, $"{what}: the norm of {onCpu.Stage}");
                AssertNear(onCpu.Threshold, onGpu.Threshold, $"{what}: the threshold of {onCpu.Stage}");
                AssertNear(onCpu.Coefficient, onGpu.Coefficient, $"{what}: the coefficient of {onCpu.Stage}");
            }
        }

        OptimizerState onHost = expected.Optimizer.State();
        OptimizerState onDevice = actual.Optimizer.State();
        Assert.Equal((what, onHost.Step, onHost.SkippedSteps), (what, onDevice.Step, onDevice.SkippedSteps));
        Assert.Equal(onHost.Stages.Select(stage => (stage.Stage, stage.Asked)), onDevice.Stages.Select(stage => (stage.Stage, stage.Asked)));
        foreach ((double[] known, double[] found) in onHost.Stages.SelectMany(stage => stage.Memories).Zip(onDevice.Stages.SelectMany(stage => stage.Memories)))
        {
            Assert.Equal(known.Length, found.Length);
            for (int i = 0; i < known.Length; i++)
            {
                AssertNear(known[i], found[i], $"{what}: memory {i}");
            }
        }

        for (int i = 0; i < expected.Parameters.Length; i++)
        {
            float[] known = expected.Parameters[i].ToArray();
            float[] found = actual.Parameters[i].ToArray();
            float largest = known.Select(MathF.Abs).Append(0f).Max();
            for (int element = 0; element < known.Length; element++)
            {
                bool isClose = known[element].Equals(found[element]) || MathF.Abs(known[element] - found[element]) <= Tolerance * MathF.Max(1f, largest);
                Assert.True(isClose, $"{what}: element {element} of parameter {i} is {found[element]:R} on the device and {known[element]:R} on the CPU.");
            }
        }
    }

    private static void AssertNear(double expected, double actual, string what) => Assert.True(
        expected.Equals(actual) || Math.Abs(expected - actual) <= Tolerance * Math.Max(Math.Abs(expected), 1e-3),
        $"{what} is {actual:R} on the device and {expected:R} on the CPU.");

    /// <summary>A step for each number, which is the last element of the last gradient; a 0 stands for gradients of 0, and 3 for one parameter left out.</summary>
    private void Compare(string what, Func<ClipStage[]> stages, NonFinitePolicy policy, float[] lasts)
    {
        Run onCpu = new(CpuBackend.Instance, stages(), policy);
        Run onGpu = new(Gpu, stages(), policy);
        for (int step = 0; step < lasts.Length; step++)
        {
            Assert.Equal(onCpu.Step(step, lasts[step]), onGpu.Step(step, lasts[step]));
            AssertSame(onCpu, onGpu, $"{what}, step {step + 1}");
        }
    }

    /// <summary>A stage of one's own, which needs the host.</summary>
    private sealed class Nothing : ClipStage
    {
        public override string ToString() => "nothing";

        protected internal override double Clip(GradientSet gradients) => gradients.Norm();
    }

    /// <summary>An optimizer over parameters of a device, with the same numbers on every device.</summary>
    private sealed class Run
    {
        private readonly int[][] shapes;
        private Backend backend;

        public Run(Backend backend, ClipStage[] stages, NonFinitePolicy policy, bool groups = false, bool empty = true)
        {
            this.backend = backend;
            shapes = empty ? [[4, 3], [5], [0, 2], [3, 2], [1]] : [[4, 3], [5], [3, 2], [1]];
            Parameters = [.. shapes.Select((shape, i) => Tensor.Normal(shape, generator: new Generator(100 + (ulong)i)).To(backend).WithGradient($"p{i}"))];
            Optimizer = groups
                ? new Sgd([new ParameterGroup(Parameters[..2]), new ParameterGroup(Parameters[2..])], 0.1)
                : new Sgd(Parameters, 0.1);
            (Optimizer.Clip, Optimizer.NonFinite, Optimizer.CheckInterval) = (stages, policy, 1);
        }

        public Tensor[] Parameters { get; }

        public Optimizer Optimizer { get; }

        public StepReport? Report { get; private set; }

        public int Steps { get; private set; }

        public void MoveTo(Backend other)
        {
            backend = other;
            foreach (Tensor parameter in Parameters)
            {
                parameter.MoveTo(other);
            }
        }

        public void Continue(Run other)
        {
            using (new NoGrad())
            {
                for (int i = 0; i < Parameters.Length; i++)
                {
                    Parameters[i].Assign(other.Parameters[i].ToArray());
                }
            }

            Optimizer.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(other.Optimizer.State()))!);
        }

        public Tensor[] Gradients(int step, float last) => [.. shapes.Select((shape, i) =>
        {
            float[] values = Tensor.Normal(shape, standardDeviation: 0.4f, generator: new Generator((ulong)((1000 * step) + i))).ToArray();
            if (last == 0f)
            {
                Array.Clear(values);
            }

            if (i == shapes.Length - 1)
            {
                values[^1] = last;
            }

            return Tensor.Of(values, shape).To(backend);
        })];

        public void Use(Tensor[] gradients)
        {
            for (int i = 0; i < Parameters.Length; i++)
            {
                Parameters[i].Gradient = gradients[i];
            }
        }

        /// <summary>A step; its error, if it made none.</summary>
        public string? Step(int step, float last)
        {
            Use(Gradients(step, last));
            if (last == 3f)
            {
                Parameters[1].Gradient = null;
            }

            return Step();
        }

        /// <summary>A step of gradients with these elements.</summary>
        public string? Step(float[] values)
        {
            int start = 0;
            foreach (Tensor parameter in Parameters)
            {
                parameter.Gradient = Tensor.Of(values.AsSpan(start, parameter.Length), [.. parameter.Shape.Dimensions]).To(backend);
                start += parameter.Length;
            }

            return Step();
        }

        private string? Step()
        {
            Steps++;
            try
            {
                Report = Optimizer.Step();
                return null;
            }
            catch (NonFiniteGradientException error)
            {
                Report = null;
                return error.Message;
            }
        }
    }
}
