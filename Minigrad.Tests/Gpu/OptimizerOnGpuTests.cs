using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
using Minigrad.Tests.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// The step on the device against the CPU's, which is held against PyTorch: every optimizer, each clipping stage, each
/// policy, over parameters of every size that the kernels treat in a way of its own.
/// </summary>
public sealed class OptimizerOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>
    /// What an update may differ by: the device rounds a product and a sum where the CPU's multiply-add rounds once, some
    /// units in the last place of a number near 1 in each of four updates. Rules that divide by the root of a difference
    /// (centered RMSprop) or whose rate is above 1 (Adadelta) multiply that, by less than 16.
    /// </summary>
    private const float UpdateTolerance = 16f * 4f / (1 << 23);

    /// <summary>Norms are sums of the same squares in double precision, in another order; a stage that writes rounds to float32.</summary>
    private const double NormTolerance = 1e-6;

    private static readonly Dictionary<string, Func<IReadOnlyList<ClipStage>>> Stages = new()
    {
        ["none"] = () => [],
        ["global"] = () => [Clip.GlobalNorm(1)],
        ["global, does not act"] = () => [Clip.GlobalNorm(1000)],
        ["global, measures"] = () => [Clip.GlobalNorm(double.PositiveInfinity)],
        ["global, PyTorch"] = () => [Clip.GlobalNorm(1, pyTorchEpsilon: 1e-6)],
        ["global L1"] = () => [Clip.GlobalNorm(1, order: 1)],
        ["global L3"] = () => [Clip.GlobalNorm(1, order: 3)],
        ["global L∞"] = () => [Clip.GlobalNorm(0.5, order: double.PositiveInfinity)],
        ["parameter"] = () => [Clip.ParameterNorm(0.7)],
        ["parameter L1"] = () => [Clip.ParameterNorm(0.7, order: 1)],
        ["unit"] = () => [Clip.UnitNorm(0.3)],
        ["value"] = () => [Clip.Value(0.6)],
        ["value, global"] = () => [Clip.Value(0.6), Clip.GlobalNorm(1)],
        ["global, value"] = () => [Clip.GlobalNorm(1.5), Clip.Value(0.4)],
        ["unit, global L1, value, parameter"] = () => [Clip.UnitNorm(0.3), Clip.GlobalNorm(2, order: 1), Clip.Value(0.3), Clip.ParameterNorm(0.4)],
    };

    private static readonly NonFinitePolicy[] Policies = Enum.GetValues<NonFinitePolicy>();

    public static TheoryData<string> Kinds => OptimizerTests.Kinds;

    public static TheoryData<string> StageNames => [.. Stages.Keys];

    private GpuBackend Gpu => fixture.Backend;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_optimizer_moves_as_on_the_CPU(string kind) => Compare(kind, "global", NonFinitePolicy.Throw, bad: 0.5f);

    [Theory]
    [MemberData(nameof(StageNames))]
    public void Every_stage_clips_as_on_the_CPU_under_every_policy(string stages)
    {
        foreach (NonFinitePolicy policy in Policies)
        {
            foreach (float bad in (float[])[0.5f, float.NaN, float.NegativeInfinity, 1e25f])
            {
                Compare("adam", stages, policy, bad);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_optimizer_keeps_its_state_where_a_step_is_not_made(string kind) =>
        Compare(kind, "value, global", NonFinitePolicy.SkipStep, float.NaN);

    [Theory]
    [InlineData("momentum", false)]
    [InlineData("momentum", true)]
    [InlineData("adam", false)]
    [InlineData("adamw", false)]
    public void An_infinite_weight_that_does_not_decay_into_the_gradient_leaves_what_is_remembered_finite(string kind, bool maximize)
    {
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
        {
            Tensor w = Tensor.Of([float.PositiveInfinity, 1f]).To(backend).WithGradient("w");
            Optimizer optimizer = kind switch
            {
                "momentum" => new Sgd([w], 0.1, momentum: 0.9),
                "adam" => new Adam([w], 0.1),
                _ => new AdamW([w], 0.1),
            };
            optimizer.Maximize = maximize;
            for (int step = 0; step < 2; step++)
            {
                w.Gradient = Tensor.Of([1f, 1f]).To(backend);
                optimizer.Step();
            }

            Assert.All(optimizer.State().Parameters[0].Slots, slot => Assert.Equal(slot[1], slot[0]));
            Assert.Equal(float.PositiveInfinity, w.ToArray()[0]);
        }
    }

    [Fact]
    public void Large_parameters_and_many_units_are_combined_by_a_whole_group()
    {
        // 40 chunks and 320 units of the first, one chunk and 5 units of the second.
        Shape[] shapes = [Shape.Create(320, 512), Shape.Create(5, 3)];
        foreach (string stages in (string[])["unit", "global L1", "value, global"])
        {
            Run onCpu = new(CpuBackend.Instance, shapes, "sgd", stages, NonFinitePolicy.Throw);
            Run onGpu = new(Gpu, shapes, "sgd", stages, NonFinitePolicy.Throw);
            AssertSame(onCpu, onGpu, onCpu.Step(1, 0.5f), onGpu.Step(1, 0.5f), stages);
        }
    }

    [Fact]
    public void A_bad_number_is_found_in_a_late_chunk_of_a_late_parameter()
    {
        Shape[] shapes = [.. Enumerable.Repeat(Shape.Create(2), 20), Shape.Create(3, 5000)];
        Run run = new(Gpu, shapes, "sgd", "none", NonFinitePolicy.Throw);
        string message = run.Step(1, float.PositiveInfinity).Error!;
        Assert.Contains($"'p20' has {float.PositiveInfinity} at [2, 4999], and 1 bad of 15000 elements", message, StringComparison.Ordinal);
    }

    /// <summary>Chunks take tiles of 1024 in turns: of four, the first has element 4099, and the second has element 1030.</summary>
    [Fact]
    public void The_first_of_several_bad_numbers_is_named_whichever_chunk_has_it()
    {
        float[] values = new float[15_000];
        (values[4099], values[1030], values[14_999]) = (float.NaN, float.PositiveInfinity, float.NaN);
        Tensor weight = Tensor.Zeros([15_000]).To(Gpu).WithGradient("w");
        weight.Gradient = Tensor.Of(values).To(Gpu);
        Sgd optimizer = new([weight], 0.1) { CheckInterval = 1 };
        string message = Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message;
        Assert.Contains($"'w' has {float.PositiveInfinity} at [1030], and 3 bad of 15000 elements", message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_parameters_than_one_launch_reads_are_read_by_several()
    {
        Shape[] shapes = [.. Enumerable.Range(1, 37).Select(i => Shape.Create(i % 5, 3))];
        Run onCpu = new(CpuBackend.Instance, shapes, "adam", "unit, global L1, value, parameter", NonFinitePolicy.Throw);
        Run onGpu = new(Gpu, shapes, "adam", "unit, global L1, value, parameter", NonFinitePolicy.Throw);
        for (int step = 0; step < 3; step++)
        {
            AssertSame(onCpu, onGpu, onCpu.Step(step, 0.5f), onGpu.Step(step, 0.5f), $"step {step}");
        }
    }

    [Fact]
    public void Groups_are_clipped_by_themselves()
    {
        (Tensor[] Parameters, StepReport Report) Make(Backend backend)
        {
            Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(i => Parameter(backend, Shape.Create(3), i))];
            Adam optimizer = new(
                [
                    new ParameterGroup([parameters[0]], "first") { Clip = [Clip.Value(0.2), Clip.GlobalNorm(0.3)] },
                    new ParameterGroup([parameters[1]], "second") { LearningRate = 0.5, WeightDecay = 0.1 },
                    new ParameterGroup([parameters[2]], "third") { Clip = [Clip.ParameterNorm(0.1)] },
                ],
                0.1)
            { Clip = [Clip.GlobalNorm(1)] };
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].Gradient = Gradient(backend, parameters[i].Shape, 0, i);
            }

            return (parameters, optimizer.Step());
        }

        (Tensor[] Parameters, StepReport Report) onCpu = Make(CpuBackend.Instance);
        (Tensor[] Parameters, StepReport Report) onGpu = Make(Gpu);
        Assert.Equal(onCpu.Report.Coefficient, onGpu.Report.Coefficient, NormTolerance);
        Assert.Equal(onCpu.Report.ClippedNorm, onGpu.Report.ClippedNorm, NormTolerance);
        for (int i = 0; i < 3; i++)
        {
            AssertClose(onCpu.Parameters[i].ToArray(), onGpu.Parameters[i].ToArray(), $"parameter {i}");
        }
    }

    private static Tensor Parameter(Backend backend, Shape shape, int number)
    {
        Tensor parameter = Tensor.Normal([.. shape.Dimensions], generator: new Generator(100 + (ulong)number)).To(backend);
        return parameter.WithGradient($"p{number}");
    }

    private static Tensor Gradient(Backend backend, Shape shape, int step, int number, float? last = null)
    {
        float[] values = Tensor.Normal([.. shape.Dimensions], generator: new Generator((1000 * (ulong)step) + (ulong)number)).ToArray();
        if (last is { } value && values.Length > 0)
        {
            values[^1] = value;
        }

        return Tensor.Of(values, [.. shape.Dimensions]).To(backend);
    }

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            bool isClose = expected[i].Equals(actual[i]) || MathF.Abs(expected[i] - actual[i]) <= UpdateTolerance * MathF.Max(1f, MathF.Abs(expected[i]));
            Assert.True(isClose, $"{what}: element {i} is {actual[i]:R} on the device and {expected[i]:R} on the CPU.");
        }
    }

    private static void AssertNear(double expected, double actual, string what) => Assert.True(
        expected.Equals(actual) || Math.Abs(expected - actual) <= NormTolerance * Math.Abs(expected),
        $"{what} is {actual:R} on the device and {expected:R} on the CPU.");

    private static void AssertSame(Run expected, Run actual, Outcome onCpu, Outcome onGpu, string what)
    {
        Assert.Equal(onCpu.Error, onGpu.Error);
        if (onCpu.Report is { } report)
        {
            Assert.Equal(
                (what, report.Step, report.WasSkipped, report.WasClipped),
                (what, onGpu.Report!.Step, onGpu.Report.WasSkipped, onGpu.Report.WasClipped));
            Assert.Equal(report.WithoutGradient, onGpu.Report.WithoutGradient);
            AssertNear(report.Norm, onGpu.Report.Norm, $"{what}: the norm");
            AssertNear(report.Coefficient, onGpu.Report.Coefficient, $"{what}: the coefficient");
            AssertNear(report.ClippedNorm, onGpu.Report.ClippedNorm, $"{what}: the clipped norm");
            Assert.Equal(report.ParameterNorms.Select(norm => norm.Name), onGpu.Report.ParameterNorms.Select(norm => norm.Name));
            foreach (((string name, double norm), (_, double found)) in report.ParameterNorms.Zip(onGpu.Report.ParameterNorms))
            {
                AssertNear(norm, found, $"{what}: the norm of {name}");
            }
        }

        OptimizerState onHost = expected.Optimizer.State();
        OptimizerState onDevice = actual.Optimizer.State();
        Assert.Equal(
            (onHost.Step, onHost.SkippedSteps, onHost.ConsecutiveSkips), (onDevice.Step, onDevice.SkippedSteps, onDevice.ConsecutiveSkips));
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

    /// <summary>Four steps, the second with a gradient that ends in <paramref name="bad"/>, the third with one parameter left out.</summary>
    private void Compare(string kind, string stages, NonFinitePolicy policy, float bad)
    {
        Shape[] shapes = [Shape.Create(4, 3), Shape.Create(5), Shape.Create(0, 2), Shape.Create(1)];
        Run onCpu = new(CpuBackend.Instance, shapes, kind, stages, policy);
        Run onGpu = new(Gpu, shapes, kind, stages, policy);
        for (int step = 0; step < 4; step++)
        {
            float last = step == 1 ? bad : 0.25f;
            int leftOut = step == 2 ? 1 : -1;
            AssertSame(
                onCpu,
                onGpu,
                onCpu.Step(step, last, leftOut),
                onGpu.Step(step, last, leftOut),
                $"{kind}, {stages}, {policy}, {bad}, step {step + 1}");
        }
    }

    /// <summary>What became of one step.</summary>
    private sealed record Outcome(StepReport? Report, string? Error);

    /// <summary>An optimizer over parameters of a device, with the same numbers on every device.</summary>
    private sealed class Run
    {
        private readonly Backend backend;

        public Run(Backend backend, Shape[] shapes, string kind, string stages, NonFinitePolicy policy)
        {
            this.backend = backend;
            Parameters = [.. shapes.Select((shape, i) => Parameter(backend, shape, i))];
            Optimizer = OptimizerTests.Make(kind, Parameters);
            Optimizer.Clip = Stages[stages]();
            Optimizer.NonFinite = policy;
            Optimizer.CheckInterval = 1;
            Optimizer.WeightDecay = 0.01;
        }

        public Tensor[] Parameters { get; }

        public Optimizer Optimizer { get; }

        public Outcome Step(int step, float last, int leftOut = -1)
        {
            for (int i = 0; i < Parameters.Length; i++)
            {
                bool isLast = i == Parameters.Length - 1;
                Parameters[i].Gradient = i == leftOut ? null : Gradient(backend, Parameters[i].Shape, step, i, isLast ? last : null);
            }

            try
            {
                return new Outcome(Optimizer.Step(), null);
            }
            catch (NonFiniteGradientException error)
            {
                return new Outcome(null, error.Message);
            }
        }
    }
}
