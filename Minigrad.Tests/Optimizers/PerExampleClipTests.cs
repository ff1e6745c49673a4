using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>Clipping of each example: against sums written out, the noise and where it comes from, and what is refused.</summary>
public sealed class PerExampleClipTests
{
    private const int Examples = 6;

    [Fact]
    public void Without_a_bound_it_is_the_gradient_of_the_mean_loss()
    {
        (Sequential model, Tensor x, int[] labels) = Problem();
        PerExampleReport report = new PerExampleClip(double.PositiveInfinity).Backward(model.Parameters, Examples, LossOf(model, x, labels));
        float[][] found = [.. model.Parameters.Select(parameter => parameter.Gradient!.ToArray())];
        model.ZeroGradients();
        Tensor loss = Loss.CrossEntropy(model.Forward(x), labels);
        loss.Backward();
        Assert.Equal(0, report.ClippedCount);
        Assert.Equal(loss.Item(), report.MeanLoss, 1e-6);
        foreach ((Tensor parameter, float[] gradient) in model.Parameters.Zip(found))
        {
            Assert.All(parameter.Gradient!.ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        }
    }

    [Fact]
    public void Each_example_counts_for_the_threshold_at_most()
    {
        (Sequential model, Tensor x, int[] labels) = Problem();
        double[] norms = new double[Examples];
        List<double[]> gradients = [];
        for (int row = 0; row < Examples; row++)
        {
            model.ZeroGradients();
            LossOf(model, x, labels)(row).Backward();
            gradients.Add([.. model.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray()).Select(value => (double)value)]);
            norms[row] = Math.Sqrt(gradients[row].Sum(value => value * value));
        }

        double threshold = norms.Order().ElementAt(Examples / 2);
        model.ZeroGradients();
        PerExampleReport report = new PerExampleClip(threshold).Backward(model.Parameters, Examples, LossOf(model, x, labels));
        Assert.All(norms.Zip(report.Norms), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * pair.First));
        Assert.Equal(report.Norms.Count(norm => norm > threshold), report.ClippedCount);
        Assert.InRange(report.ClippedCount, 1, Examples - 1);
        double[] sums = new double[gradients[0].Length];
        for (int row = 0; row < Examples; row++)
        {
            double part = Math.Min(1, threshold / norms[row]);
            sums = [.. sums.Zip(gradients[row], (sum, value) => sum + (part * value))];
        }

        float[] found = [.. model.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())];
        Assert.All(sums.Zip(found), pair => Assert.Equal(pair.First / Examples, pair.Second, 1e-6));

        // The step that follows is the usual one.
        float before = model.Parameters[0].ToArray()[0];
        StepReport step = new Sgd(model.Parameters, 0.5).Step();
        Assert.Equal(before - (0.5f * found[0]), model.Parameters[0].ToArray()[0], 1e-6f);
        Assert.InRange(step.Norm, 0, threshold * (1 + 1e-6));
        Assert.Contains($"{report.ClippedCount} of {Examples} examples clipped", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_noise_is_the_generators_as_large_as_asked_and_added_once()
    {
        const double Threshold = 0.5;
        const double Noise = 1.5;
        Tensor wide = Tensor.Zeros(100, 80).WithGradient("wide");
        Tensor small = Tensor.Zeros(3).WithGradient("small");
        Tensor unreached = Tensor.Zeros(2).WithGradient("unreached");
        float[][] Run(double noise, Generator? generator)
        {
            (wide.Gradient, small.Gradient, unreached.Gradient) = (null, null, null);
            new PerExampleClip(Threshold, noise, generator).Backward([wide, small, unreached], 4, row => (wide * row).Sum() + small.Sum());
            return [wide.Gradient!.ToArray(), small.Gradient!.ToArray(), unreached.Gradient?.ToArray() ?? []];
        }

        float[][] without = Run(0, null);
        float[][] with = Run(Noise, new Generator(5, 3));
        Assert.Empty(without[2]);
        Generator same = new(5, 3);
        int[][] shapes = [[100, 80], [3], [2]];
        for (int i = 0; i < shapes.Length; i++)
        {
            float[] drawn = Tensor.Normal(shapes[i], 0f, (float)(Noise * Threshold), same).ToArray();
            for (int e = 0; e < drawn.Length; e++)
            {
                float mean = without[i].Length == 0 ? 0f : without[i][e];
                Assert.Equal(mean + (drawn[e] / 4), with[i][e], 1e-6f);
            }
        }

        // 8000 draws: the mean is within 4/√8000 of 0 standard deviations, and so is the deviation by twice as much.
        double[] noise = [.. with[0].Zip(without[0], (a, b) => (double)a - b)];
        double expected = Noise * Threshold / 4;
        Assert.Equal(0, noise.Average(), expected * 0.045);
        Assert.Equal(expected, Math.Sqrt(noise.Average(value => value * value)), expected * 0.045);
        Assert.Equal(with, Run(Noise, new Generator(5, 3)));
        Assert.NotEqual(with, Run(Noise, new Generator(5, 4)));
    }

    [Fact]
    public void Frozen_parameters_are_passed_over()
    {
        Tensor w = Tensor.Of([2f]).WithGradient("w");
        Tensor frozen = Tensor.Of([3f]);
        new PerExampleClip(100).Backward([w, frozen], 2, row => (w * frozen * (row + 1f)).Sum());
        Assert.Equal([4.5f], w.Gradient!.ToArray());
        Assert.Null(frozen.Gradient);
    }

    public static TheoryData<string> Rules => [.. StageKinds.Thresholds.Keys.Where(name => name != "schedule")];

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_rule_sees_the_examples_one_after_another(string rule)
    {
        (Sequential model, Tensor x, int[] labels) = Problem();
        PerExampleClip clip = new(StageKinds.Thresholds[rule]());
        ClipStage byHand = Clip.GlobalNorm(StageKinds.Thresholds[rule]());
        for (int batch = 0; batch < 3; batch++)
        {
            model.ZeroGradients();
            float[][] sums = [.. model.Parameters.Select(parameter => new float[parameter.Length])];
            double[] norms = new double[Examples];
            int clipped = 0;
            for (int row = 0; row < Examples; row++)
            {
                LossOf(model, x, labels)(row).Backward();
                norms[row] = byHand.Apply(model.Parameters);
                clipped += Math.Sqrt(model.Parameters.Sum(parameter => parameter.Gradient!.ToArray().Sum(value => (double)value * value))) < norms[row] * (1 - 1e-6) ? 1 : 0;
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] = [.. sums[i].Zip(model.Parameters[i].Gradient!.ToArray(), (sum, value) => sum + value)];
                }

                model.ZeroGradients();
            }

            PerExampleReport report = clip.Backward(model.Parameters, Examples, LossOf(model, x, labels));
            Assert.Equal(norms, report.Norms);
            Assert.Equal(clipped, report.ClippedCount);
            Assert.All(model.Parameters.Zip(sums), pair =>
                Assert.Equal(pair.Second.Select(sum => sum * (1f / Examples)), pair.First.Gradient!.ToArray()));
        }
    }

    [Fact]
    public void A_schedule_takes_a_step_with_each_batch_and_the_noise_follows_it()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient();
        PerExampleClip clip = new(Schedule.Exponential(8, 0.5));
        PerExampleClip noisy = new(Schedule.Exponential(8, 0.5), noise: 0.25, new Generator(3));
        Generator same = new(3);
        foreach (float threshold in (float[])[8, 4, 2])
        {
            w.Gradient = null;
            clip.Backward([w], 2, _ => (w * Tensor.Of([300f, 400f])).Sum());
            Assert.Equal([0.6f * threshold, 0.8f * threshold], w.Gradient!.ToArray());

            w.Gradient = null;
            noisy.Backward([w], 4, _ => (w * 0f).Sum());
            Assert.Equal(
                Tensor.Normal([2], standardDeviation: 0.25f * threshold, generator: same).ToArray().Select(value => value * 0.25f),
                w.Gradient!.ToArray());
        }
    }

    [Fact]
    public void A_batch_that_fails_leaves_no_trace()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        foreach (Func<Threshold> threshold in StageKinds.Thresholds.Values)
        {
            PerExampleClip clip = new(threshold());
            PerExampleClip other = new(threshold());
            for (int batch = 0; batch < 4; batch++)
            {
                StageState before = clip.State();
                Teaches<NonFiniteGradientException>(
                    () => clip.Backward([w], 5, row => (w * (row == 3 ? float.NaN : 50f + row)).Sum()), "example 3");
                Assert.Equivalent(before, clip.State(), strict: true);
                Assert.Equal(Batch(other, batch), Batch(clip, batch));
            }
        }

        float Batch(PerExampleClip clip, int batch)
        {
            w.Gradient = null;
            clip.Backward([w], 5, row => (w * (1f + row + batch)).Sum());
            float gradient = w.Gradient!.Item();
            w.Gradient = null;
            return gradient;
        }
    }

    [Fact]
    public void A_state_continues_to_the_same_bits()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        foreach (Func<Threshold> threshold in StageKinds.Thresholds.Values)
        {
            PerExampleClip whole = new(threshold());
            Run(whole, 0);
            PerExampleClip restored = new(threshold());
            restored.Restore(whole.State());
            Assert.Equal(Run(whole, 1), Run(restored, 1));
            Assert.Equivalent(whole.State(), restored.State(), strict: true);
        }

        Teaches<ArgumentException>(
            () => new PerExampleClip(1).Restore(new PerExampleClip(Threshold.Percentile(50)).State()), "percentile 50", "GlobalNorm(1)", "saved with");
        PerExampleClip remembering = new(Threshold.MovingAverage());
        Teaches<ArgumentException>(
            () => remembering.Restore(remembering.State() with { Memories = [[3, 0]] }),
            "PerExampleClip.Restore",
            $"what it has of {remembering.State().Stage} is damaged");

        float Run(PerExampleClip clip, int batch)
        {
            w.Gradient = null;
            clip.Backward([w], 7, row => (w * (1f + (row * row) + batch)).Sum());
            return w.Gradient!.Item();
        }
    }

    [Fact]
    public void Noise_needs_a_threshold_that_does_not_tell_of_the_examples()
    {
        Teaches<ArgumentException>(
            () => _ = new PerExampleClip(Threshold.StreamingQuantile(), noise: 1), "streaming quantile 0.5", "follows the norms", "a number or a schedule");
        Tensor w = Tensor.Of([1f]).WithGradient();
        PerExampleClip clip = new(Schedule.Exponential(1e300, 1e10), noise: 0);
        PerExampleClip noisy = new(Schedule.Exponential(1e300, 1e10), noise: 1e-300);
        foreach (PerExampleClip each in (PerExampleClip[])[clip, noisy, clip])
        {
            each.Backward([w], 1, _ => w.Sum());
            w.Gradient = null;
        }

        Teaches<InvalidOperationException>(() => noisy.Backward([w], 1, _ => w.Sum()), "infinite threshold", "finite");
        Assert.Null(w.Gradient);
    }

    [Fact]
    public void What_cannot_be_done_is_refused_with_the_reason()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("layer.weight");
        PerExampleClip clip = new(1);
        Tensor Of(int row) => (w * row).Sum();
        Teaches<ArgumentException>(() => clip.Backward([w], 0, Of), "0 examples", "at least one", "pass over the step");
        Teaches<ArgumentException>(() => clip.Backward([w], -1, Of), "-1 examples");
        Teaches<ArgumentException>(() => clip.Backward([Tensor.Ones(2)], 3, Of), "no parameter", "frozen");
        Teaches<ArgumentException>(() => clip.Backward([w, null!], 3, Of), "parameter 1 is null", "model.Parameters");
        Teaches<ArgumentException>(() => clip.Backward([w, w], 3, Of), "'layer.weight' of shape [1] was given twice", "Give each parameter once");
        Teaches<ArgumentOutOfRangeException>(() => _ = new PerExampleClip(0), "must be positive, but it is 0", "+∞");
        Teaches<ArgumentOutOfRangeException>(() => _ = new PerExampleClip(double.NaN), "NaN");
        Teaches<ArgumentOutOfRangeException>(() => _ = new PerExampleClip(1, noise: -1), "multiple of the threshold", "-1");
        Teaches<ArgumentOutOfRangeException>(() => _ = new PerExampleClip(double.PositiveInfinity, noise: 1), "infinite threshold", "finite");
        Teaches<NonFiniteGradientException>(
            () => clip.Backward([w], 3, row => (w * (row == 1 ? float.NaN : 1f)).Sum()), "example 1", "'layer.weight' has NaN at [0]");
        Assert.Null(w.Gradient);
        Sgd scaling = new([w], 0.1) { LossScaling = LossScaling.Static(8) };
        Teaches<InvalidOperationException>(() => clip.Backward([w], 3, row => scaling.Scale(Of(row))), "'layer.weight'", "scale");
        Assert.Null(w.Gradient);
        w.Gradient = Tensor.Ones(1);
        Teaches<ArgumentException>(() => clip.Backward([w], 3, Of), "'layer.weight' has a gradient already", "ZeroGradients()");
        Assert.Equal([1f], w.Gradient.ToArray());
        w.Gradient = null;
        PerExampleClip ending = new(Schedule.OneCycle(1, length: 4, riseShare: 0.5));
        for (int batch = 0; batch < 5; batch++)
        {
            ending.Backward([w], 1, _ => w.Sum());
            w.Gradient = null;
        }

        Teaches<ArgumentOutOfRangeException>(() => ending.Backward([w], 1, _ => w.Sum()), "Schedule.OneCycle was made for 4 steps");
        Assert.Null(w.Gradient);
    }

    private static (Sequential Model, Tensor Input, int[] Labels) Problem()
    {
        Generator generator = new(9);
        Sequential model = new(new Linear(4, 5, generator: generator), new Tanh(), new Linear(5, 3, generator: generator));
        return (model, Tensor.Normal([Examples, 4], 0f, 2f, generator), [0, 2, 1, 1, 0, 2]);
    }

    private static Func<int, Tensor> LossOf(Sequential model, Tensor x, int[] labels) =>
        row => Loss.CrossEntropy(model.Forward(x.IndexSelect(0, [row])), (int[])[labels[row]]);

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
