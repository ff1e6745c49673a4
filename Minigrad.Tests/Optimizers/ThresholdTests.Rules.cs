using CsCheck;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <content>Each rule by values worked out by hand, and against its formula over plain lists.</content>
public sealed partial class ThresholdTests
{
    private static readonly Gen<double[]> Norms = Gen.OneOf(Gen.Double[0.1, 10], Gen.OneOfConst(1.0, 1.0, 2.0, 50.0)).Array[1, 40];

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
            [double.PositiveInfinity, double.PositiveInfinity, 3, 2.5 + Math.Sqrt(0.625) + 1e-6]);
    }

    [Fact]
    public void ZScore_clips_no_norm_that_is_no_spike_whatever_the_target()
    {
        // Warm-up {1, 1}: μ = 1, σ = 0. A norm 9.5e-7 above is z = 0.95 < 2.5; one 9.5e-6 above is z = 9.5.
        const double nearby = 1.00000095367431640625;
        const double spike = 1.0000095367431640625;
        foreach (SpikeTarget target in Enum.GetValues<SpikeTarget>())
        {
            StageReport[] reports = Run(Threshold.ZScore(2.5, target, warmup: 2), [1, 1, nearby]);
            Assert.Equal((1.0, false), (reports[2].Coefficient, reports[2].Acted));
            Assert.Equal(1 / spike, Run(Threshold.ZScore(2.5, target, warmup: 2), [1, 1, spike])[2].Coefficient, 1e-12);
        }
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
    public void MovingAverages_warm_up_compares_what_is_no_norm_with_itself()
    {
        // 100 elements of 0.5 have the norm 5, but a root mean square of 0.5 and an average of 0.05.
        foreach (ClipStage stage in (ClipStage[])[Clip.BlockRms(Threshold.MovingAverage(absolute: 1)), Clip.AverageNorm(Threshold.MovingAverage(absolute: 1))])
        {
            Tensor parameter = Tensor.Zeros(100).WithGradient();
            parameter.Gradient = Tensor.Full([100], 0.5f);
            stage.Apply([parameter]);
            Assert.All(parameter.Gradient.ToArray(), value => Assert.Equal(0.5f, value));
        }

        Tensor large = Tensor.Zeros(100).WithGradient();
        large.Gradient = Tensor.Full([100], 4f);
        Clip.BlockRms(Threshold.MovingAverage(absolute: 1)).Apply([large]);
        Assert.All(large.Gradient.ToArray(), value => Assert.Equal(1f, value, 1e-6f));
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
}
