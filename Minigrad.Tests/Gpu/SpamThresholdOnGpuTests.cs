using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Gpu;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;
using Minigrad.Tests.Optimizers;

namespace Minigrad.Tests.Gpu;

/// <summary>The threshold of <see cref="Spam"/> on the device: as on the CPU, decided there at the step itself, and without a word to the host.</summary>
public sealed class SpamThresholdOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Some roundings of float32 in each of a dozen steps of numbers near 1, as for clips of updates.</summary>
    private const double Tolerance = 16.0 * 12 / (1 << 23);

    public static TheoryData<string> ThresholdNames => UpdateThresholdTests.ThresholdNames;

    private GpuBackend Gpu => fixture.Backend;

    /// <summary>Over a reset and its delay, with steps that are not made, a parameter left out, clips of gradients before and of updates after.</summary>
    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void Any_threshold_is_the_same_on_both(string threshold)
    {
        foreach (string clip in PlainOptimizer.Clips)
        {
            (List<double> Numbers, List<string> Told) Train(Backend backend)
            {
                Tensor[] parameters = On(backend, [4, 3], [5], [0, 2], [1]);
                Spam optimizer = Make(threshold, parameters);
                (optimizer.UpdateClip, optimizer.Clip, optimizer.NonFinite) = (PlainOptimizer.ClipOf(clip), [Clip.GlobalNorm(20), Clip.Value(15)], NonFinitePolicy.SkipStep);
                optimizer.WeightDecay = 0.1;
                List<double> numbers = [];
                List<string> told = [];
                for (int step = 0; step < 12; step++)
                {
                    float[]?[] gradients = UpdateClipTests.Gradients(parameters, step, step switch { 3 => float.NaN, 5 => 1e25f, 6 or 10 => 20f, _ => 1f });
                    gradients[1] = step == 4 ? null : gradients[1];
                    UpdateClipTests.Set(parameters, gradients);
                    StepReport report = optimizer.Step();
                    foreach (StageReport stage in report.Stages)
                    {
                        told.Add($"{step}: {stage.Stage} {stage.Acted}");
                        numbers.AddRange([stage.Norm, stage.Threshold, stage.Coefficient]);
                    }

                    told.Add($"{step}: {report.WasSkipped}");
                    numbers.AddRange(Remembered(optimizer, parameters));
                }

                return (numbers, told);
            }

            (List<double> Numbers, List<string> Told) onCpu = Train(CpuBackend.Instance);
            (List<double> Numbers, List<string> Told) onGpu = Train(Gpu);
            Assert.Equal(onCpu.Told, onGpu.Told);
            AssertClose(onCpu.Numbers, onGpu.Numbers, $"{threshold}, {clip}");
        }
    }

    [Fact]
    public void Parameters_of_several_chunks_and_several_launches_are_measured_whole()
    {
        double[] Train(Backend backend)
        {
            Tensor[] parameters = On(backend, [[320, 512], .. Enumerable.Range(1, 20).Select(i => (int[])[i % 4, 3])]);
            Spam optimizer = Make("percentile", parameters);
            List<double> sizes = [];
            for (int step = 0; step < 3; step++)
            {
                float[]?[] gradients = UpdateClipTests.Gradients(parameters, step, 1f);
                gradients[0]![step == 2 ? 150_000 : 0] = 40f;
                UpdateClipTests.Set(parameters, gradients);
                StageReport report = optimizer.Step().Stages.Single();
                sizes.AddRange([report.Norm, report.Threshold, report.Coefficient]);
            }

            return [.. sizes, .. Remembered(optimizer, parameters)];
        }

        double[] onCpu = Train(CpuBackend.Instance);
        AssertClose(onCpu, Train(Gpu), "chunks");
        Assert.True(onCpu[6] > 1000);
    }

    [Fact]
    public void Histories_go_along_between_host_and_device()
    {
        double[] Train(Backend backend, bool changes)
        {
            Tensor[] parameters = On(backend, [4, 3], [5]);
            Spam optimizer = new(
                [new ParameterGroup([parameters[0]]), new ParameterGroup([parameters[1]]) { LearningRate = 0.05, Clip = [Clip.UnitNorm(2)] }],
                0.1,
                threshold: Threshold.Percentile(50, window: 3),
                resetInterval: 7,
                delay: 1);
            for (int step = 0; step < 12; step++)
            {
                // A stage of one's own takes the step to the host.
                optimizer.Clip = changes && step % 4 >= 2 ? [new WholeStage()] : [];
                UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 5 ? 20f : 1f));
                optimizer.Step();
            }

            return [.. Remembered(optimizer, parameters)];
        }

        double[] expected = Train(CpuBackend.Instance, changes: false);
        AssertClose(expected, Train(Gpu, changes: true), "changing");
        AssertClose(expected, Train(Gpu, changes: false), "on the device");
    }

    /// <summary>The threshold is decided one launch after what is measured, however many windows there are; a number or a schedule takes none.</summary>
    [Theory]
    [InlineData("fixed", 3, 3)]
    [InlineData("schedule", 3, 3)]
    [InlineData("percentile", 3, 5)]
    [InlineData("median", 17, 8)]
    [InlineData("fixed", 17, 5)]
    public void A_rule_takes_one_measuring_launch_and_one_that_decides(string threshold, int parameterCount, int launches)
    {
        Tensor[] parameters = On(Gpu, [.. Enumerable.Repeat((int[])[3, 2], parameterCount)]);
        Spam optimizer = Make(threshold, parameters);
        UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, 0, 1f));
        optimizer.Step();
        GpuCounters before = Gpu.Counters;
        optimizer.Step();
        Assert.Equal(new GpuCounters(launches, 0, 0, 0, 0), Gpu.Counters - before);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_and_is_used_makes_the_threshold_NaN_there_too()
    {
        Tensor w = Tensor.Of([1f, 1f]).To(Gpu).WithGradient("w");
        Tensor other = Tensor.Of([1f]).To(Gpu).WithGradient("other");
        Spam spam = new([w, other], threshold: Threshold.Percentile(50, window: 3), delay: 0) { NonFinite = NonFinitePolicy.Propagate };
        StageReport report = default;
        foreach (float gradient in (float[])[1f, 2f, float.PositiveInfinity])
        {
            UpdateClipTests.Set([w, other], [[1f, gradient], [1f]]);
            report = spam.Step().Stages.Single();
        }

        Assert.True(double.IsNaN(report.Threshold) && double.IsNaN(report.Coefficient) && report.Acted);
        Assert.All(w.ToArray(), value => Assert.True(float.IsNaN(value)));
        Assert.True(float.IsFinite(other.ToArray()[0]));
        Assert.DoesNotContain(spam.State().Stages.Single().Memories[0], number => !double.IsFinite(number));
    }

    [Fact]
    public void Two_runs_give_the_same_bits()
    {
        uint[] Train()
        {
            Tensor[] parameters = On(Gpu, [70, 100], [5]);
            Spam optimizer = Make("median", parameters);
            for (int step = 0; step < 5; step++)
            {
                UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step == 4 ? 30f : 1f));
                optimizer.Step();
            }

            return UpdateClipTests.Bits(parameters);
        }

        Assert.Equal(Train(), Train());
    }

    private static Spam Make(string threshold, Tensor[] parameters) =>
        new(parameters, 0.02, threshold: StageKinds.Thresholds[threshold](), resetInterval: 8, warmUp: 3, delay: 1);

    private static Tensor[] On(Backend backend, params int[][] shapes) =>
        [.. UpdateClipTests.Parameters(shapes).Select((parameter, i) => parameter.Detach().To(backend).WithGradient($"p{i}"))];

    /// <summary>All that an optimizer has changed and remembers.</summary>
    private static IEnumerable<double> Remembered(Spam optimizer, Tensor[] parameters)
    {
        OptimizerState state = optimizer.State();
        return parameters.SelectMany(parameter => parameter.ToArray())
            .Concat(state.Parameters.SelectMany(parameter => parameter.Slots).SelectMany(slot => slot))
            .Select(value => (double)value)
            .Concat(state.Parameters.Select(parameter => (double)parameter.Step))
            .Concat(state.Stages.SelectMany(stage => stage.Memories.SelectMany(memory => memory).Append(stage.Asked)));
    }

    private static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, string what)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.True(
                expected[i].Equals(actual[i]) || Math.Abs(expected[i] - actual[i]) <= Tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"{what}: number {i} is {actual[i]:R} on the device and {expected[i]:R} on the CPU.");
        }
    }

    /// <summary>A stage of one's own that leaves all as it is.</summary>
    private sealed class WholeStage : ClipStage
    {
        public override string ToString() => "Whole";

        protected internal override double Clip(GradientSet gradients) => gradients.Norm();
    }
}
