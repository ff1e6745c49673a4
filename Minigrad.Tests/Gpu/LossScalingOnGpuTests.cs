using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Gpu;

/// <summary>Loss scaling where the scale, its count and the decision are on the device: the same steps as on the CPU, and no host.</summary>
public sealed class LossScalingOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private static readonly NonFinitePolicy[] Policies = Enum.GetValues<NonFinitePolicy>();

    /// <summary>Overflows at the beginning, in the middle, several in a row; NaN; too large to square.</summary>
    private static readonly float[] Slopes =
    [
        float.PositiveInfinity, 1f, 2f, 3f, 4f, 5f, float.NaN, float.NegativeInfinity, 6f, 7f, 1e25f, 8f, 9f, float.PositiveInfinity, 1f, 2f, 3f,
    ];

    private GpuBackend Gpu => fixture.Backend;

    /// <summary>Of some chunks, an empty parameter and one without a gradient.</summary>
    [Fact]
    public void A_stage_that_writes_leaves_gradients_as_backward_left_them()
    {
        foreach (ClipStage last in (ClipStage[])[Clip.GlobalNorm(1e9), Clip.GlobalNorm(1e9, order: 1), Clip.UnitNorm(1e9)])
        {
            Tensor[] parameters = [.. new[] { 2, 0, 5, 9_000 }.Select(length => Tensor.Zeros(length).To(Gpu).WithGradient($"of {length}"))];
            Sgd optimizer = new(parameters, 1) { LossScaling = LossScaling.Static(8), Clip = [Clip.UnitNorm(1e9), Clip.Value(2), last, Clip.UnitNorm(1e9)] };
            foreach (Tensor parameter in parameters.Where(parameter => parameter.Length != 5))
            {
                optimizer.Scale(parameter.Sum() * 4f).Backward();
            }

            optimizer.Step();
            optimizer.Step();
            foreach (Tensor parameter in parameters.Where(parameter => parameter.Length != 5))
            {
                Assert.All(parameter.ToArray(), value => Assert.Equal(-4f, value, 1e-6f));
                Assert.All(parameter.Gradient!.ToArray(), value => Assert.Equal(32f, value));
            }
        }
    }

    [Fact]
    public void Every_policy_and_stage_makes_the_steps_that_the_CPU_makes()
    {
        ClipStage[][] stages = [[], [Clip.GlobalNorm(1)], [Clip.Value(0.5), Clip.GlobalNorm(1)], [Clip.UnitNorm(0.5)]];
        LossScaling[] scalings =
        [
            LossScaling.Dynamic(initial: 16, growthInterval: 2, maximum: 64), LossScaling.Dynamic(initial: 3, growthFactor: 1.7, backoffFactor: 0.3, growthInterval: 2),
            LossScaling.Static(1000),
        ];
        foreach (NonFinitePolicy policy in Policies)
        {
            foreach (ClipStage[] clip in stages)
            {
                foreach (LossScaling scaling in scalings)
                {
                    List<string> onCpu = Train(CpuBackend.Instance, policy, clip, scaling, checkInterval: 1);
                    List<string> onGpu = Train(Gpu, policy, clip, scaling, checkInterval: 1);
                    Assert.Equal((policy, scaling, string.Join('\n', onCpu)), (policy, scaling, string.Join('\n', onGpu)));
                }
            }
        }
    }

    [Fact]
    public void A_step_that_is_skipped_for_its_size_ends_a_row_of_good_steps()
    {
        Tensor w = Tensor.Of([3f, 4f]).To(Gpu).WithGradient("w");
        Adam optimizer = new([w]) { LossScaling = LossScaling.Dynamic(initial: 8, growthInterval: 2), NonFinite = NonFinitePolicy.SkipStep };
        List<double> scales = [];
        foreach (float slope in (float[])[1f, 1e20f, 1f, 1e20f, 1f, 1f])
        {
            Tests.Optimizers.LossScalingTests.Step(optimizer, w, slope);
            scales.Add(optimizer.LossScale);
        }

        Assert.Equal([8, 8, 8, 8, 8, 16], scales);
    }

    [Fact]
    public void Reports_that_were_not_read_stay_right_where_the_host_counts_in_between()
    {
        static List<string> Reports(Backend backend)
        {
            Tensor w = Tensor.Of([1f, 1f, 1f, 1f]).To(backend).WithGradient("w");
            Sgd optimizer = new([w], 0.1);
            List<StepReport> reports = [];
            void Step(float slope, LossScaling? scaling, params ClipStage[] clip)
            {
                optimizer.LossScaling = scaling;
                optimizer.Clip = clip;
                optimizer.ZeroGradients();
                optimizer.Scale(w.Sum() * slope).Backward();
                reports.Add(optimizer.Step());
            }

            LossScaling dynamic = LossScaling.Dynamic(initial: 16);
            Step(1f, scaling: null, Clip.GlobalNorm(1));
            Step(2f, LossScaling.Static(8), Clip.GlobalNorm(1));
            Step(float.PositiveInfinity, dynamic, Clip.GlobalNorm(1));
            Step(3f, dynamic, Clip.GlobalNorm(1));
            Step(4f, dynamic, Clip.GlobalNorm(1), new Nothing());
            Step(float.PositiveInfinity, dynamic, Clip.GlobalNorm(1), new Nothing());
            Step(5f, scaling: null, Clip.GlobalNorm(1));
            return [.. reports.Select(report => $"{Text(report)} {report.ClippedNorm:g5} {report.ParameterNorms[0].Norm:g5} {report.Stages.Count}"), $"{optimizer.StepCount} {optimizer.SkippedSteps}"];
        }

        List<string> expected = Reports(CpuBackend.Instance);
        Assert.StartsWith("1 1 False False 2 0.5 True 1 2 1", expected[0], StringComparison.Ordinal);
        Assert.Equal(expected, Reports(Gpu));
    }

    [Fact]
    public void The_reports_of_64_attempts_are_kept_though_the_host_has_counted()
    {
        Tensor w = Tensor.Of([1f]).To(Gpu).WithGradient("w");
        Sgd optimizer = new([w], 0.1);
        List<StepReport> reports = [];
        for (int i = 1; i <= 64; i++)
        {
            optimizer.LossScaling = null;
            w.Gradient = Tensor.Of([(float)i]).To(Gpu);
            reports.Add(optimizer.Step());
        }

        Assert.Equal(Enumerable.Range(1, 64).Select(i => (i, (double)i)), reports.Select(report => (report.Step, report.Norm)));
    }

    [Fact]
    public void The_clipped_norm_of_an_overflow_is_that_of_the_gradient_though_bad_values_are_read_as_0()
    {
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
        {
            Tensor w = Tensor.Of([1f, 1f]).To(backend).WithGradient("w");
            Sgd optimizer = new([w], 0.1) { LossScaling = LossScaling.Dynamic(initial: 4), NonFinite = NonFinitePolicy.ZeroBadValues };
            optimizer.Scale((w * Tensor.Of([3f, float.PositiveInfinity]).To(backend)).Sum()).Backward();
            StepReport report = optimizer.Step();
            Assert.True(report.HasOverflowed);
            Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (report.Norm, report.ClippedNorm));
        }
    }

    [Fact]
    public void A_host_that_does_not_look_changes_nothing()
    {
        LossScaling scaling = LossScaling.Dynamic(initial: 16, growthInterval: 2, maximum: 64);
        Assert.Equal(
            Train(CpuBackend.Instance, NonFinitePolicy.SkipStep, [Clip.GlobalNorm(1)], scaling, checkInterval: 1),
            Train(Gpu, NonFinitePolicy.SkipStep, [Clip.GlobalNorm(1)], scaling, checkInterval: 64, looks: false));
    }

    /// <summary>To the launches of the same step without scaling come two: the scale times the loss, and times its gradient.</summary>
    [Fact]
    public void A_whole_step_under_a_dynamic_scale_waits_for_nothing()
    {
        Generator generator = new(5);
        Sequential model = new(new Linear(7, 5, generator: generator), new Relu(), new Linear(5, 3, generator: generator));
        model.To(Gpu);
        Tensor input = Tensor.Normal([4, 7], generator: generator).To(Gpu);
        Adam optimizer = new(model.Parameters) { Clip = [Clip.GlobalNorm(1)], LossScaling = LossScaling.Dynamic(growthInterval: 1, maximum: 1 << 20) };
        void Step()
        {
            optimizer.ZeroGradients();
            optimizer.Scale(Loss.CrossEntropy(model.Forward(input), (int[])[0, 2, 1, 1])).Backward();
            optimizer.Step();
        }

        Step();
        Step();
        GpuCounters before = Gpu.Counters;
        Step();
        Assert.Equal(new GpuCounters(17 + 2, 1, 0, 0, 0), Gpu.Counters - before);
        Assert.Equal(1 << 19, optimizer.LossScale);
    }

    [Fact]
    public void Unscaling_by_hand_waits_for_nothing_and_the_step_is_the_same()
    {
        Tensor Train(bool byHand)
        {
            Tensor w = Tensor.Of([3f, 4f]).To(Gpu).WithGradient("w");
            Sgd optimizer = new([w], 0.1) { LossScaling = LossScaling.Dynamic(initial: 64, growthInterval: 1) };
            for (int step = 0; step < 4; step++)
            {
                optimizer.ZeroGradients();
                optimizer.Scale(w.Square().Sum()).Backward();
                if (byHand)
                {
                    GpuCounters before = Gpu.Counters;
                    optimizer.Unscale();
                    GpuCounters sent = Gpu.Counters - before;
                    Assert.Equal((0, 0, 0), (sent.Uploads, sent.Downloads, sent.Synchronizations));
                }

                optimizer.Step();
            }

            Assert.Equal(1024, optimizer.LossScale);
            return w;
        }

        Assert.Equal(Train(byHand: false).ToArray(), Train(byHand: true).ToArray());
    }

    [Fact]
    public void A_state_is_read_from_the_device_and_goes_on_there_or_on_the_CPU()
    {
        LossScaling Scaling() => LossScaling.Dynamic(initial: 16, growthInterval: 3);
        Tensor w = Tensor.Of([3f, 4f]).To(Gpu).WithGradient("w");
        Adam optimizer = new([w], 0.1) { LossScaling = Scaling() };
        foreach (float slope in (float[])[float.PositiveInfinity, 1f, 2f])
        {
            Tests.Optimizers.LossScalingTests.Step(optimizer, w, slope);
        }

        OptimizerState state = optimizer.State();
        Assert.Equal(new LossScaleState(8, 2), state.LossScale);
        float[] values = w.ToArray();
        StepReport next = Tests.Optimizers.LossScalingTests.Step(optimizer, w, 3f);
        Assert.Equal((8, 16), (next.LossScale, optimizer.LossScale));
        foreach (Backend backend in (Backend[])[Gpu, CpuBackend.Instance])
        {
            Tensor other = Tensor.Of(values).To(backend).WithGradient("w");
            Adam resumed = new([other], 0.1) { LossScaling = Scaling() };
            resumed.Restore(state);
            Assert.Equal(8, Tests.Optimizers.LossScalingTests.Step(resumed, other, 3f).LossScale);
            Assert.Equal(16, resumed.LossScale);
        }
    }

    [Fact]
    public void An_optimizer_takes_its_scale_along_when_the_model_moves()
    {
        Linear model = new(2, 1);
        Sgd optimizer = new(model.Parameters, 0.1) { LossScaling = LossScaling.Dynamic(initial: 4, growthInterval: 1) };
        List<double> scales = [];
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu, Gpu, CpuBackend.Instance, Gpu])
        {
            model.To(backend);
            optimizer.ZeroGradients();
            optimizer.Scale(model.Forward(Tensor.Ones(1, 2).To(backend)).Sum()).Backward();
            scales.Add(optimizer.Step().LossScale);
        }

        Assert.Equal([4, 8, 16, 32, 64], scales);

        // Gradients move with their marks.
        optimizer.ZeroGradients();
        optimizer.Scale(model.Forward(Tensor.Ones(1, 2).To(Gpu)).Sum()).Backward();
        model.To(CpuBackend.Instance);
        Assert.Throws<InvalidOperationException>(() => Clip.Value(1).Apply(model.Parameters));
        Assert.Equal(128, optimizer.Step().LossScale);
    }

    private static List<string> Train(
        Backend backend, NonFinitePolicy policy, ClipStage[] clip, LossScaling scaling, int checkInterval, bool looks = true)
    {
        Tensor w = Tensor.Of([3f, 4f]).To(backend).WithGradient("w");
        Tensor v = Tensor.Of([1f, -1f, 0.5f, 2f], 2, 2).To(backend).WithGradient("v");
        Adam optimizer = new([w, v], 0.01) { NonFinite = policy, Clip = clip, LossScaling = scaling, CheckInterval = checkInterval };
        List<StepReport> reports = [];
        List<string> log = [];
        foreach (float slope in Slopes)
        {
            optimizer.ZeroGradients();
            Tensor slopes = Tensor.Of([1f, slope]).To(backend);
            optimizer.Scale((w * slopes).Sum() + v.Square().Sum()).Backward();
            try
            {
                reports.Add(optimizer.Step());
                log.Add(looks ? Text(reports[^1]) : string.Empty);
            }
            catch (NonFiniteGradientException error)
            {
                log.Add(error.Message);
            }
        }

        if (!looks)
        {
            log = [.. reports.Select(Text)];
        }

        log.Add($"{optimizer.StepCount} {optimizer.SkippedSteps} {optimizer.ConsecutiveSkips} {optimizer.LossScale:g6} {optimizer.State().LossScale?.GoodSteps}");
        log.Add(string.Join(' ', w.ToArray().Concat(v.ToArray()).Select(value => $"{value:0.0000}")));
        return log;
    }

    private static string Text(StepReport report) =>
        $"{report.Step} {report.LossScale:g6} {report.WasSkipped} {report.HasOverflowed} {report.Norm:g5} {report.Coefficient:g5} {report.WasClipped}";

    /// <summary>A stage of one's own, for which the host makes the step.</summary>
    private sealed class Nothing : ClipStage
    {
        public override string ToString() => "nothing";

        protected internal override double Clip(GradientSet gradients) => gradients.Norm();
    }
}
