using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;
using Xunit.Abstractions;

namespace Minigrad.Tests.Monitoring;

/// <summary>The advisor's arithmetic, and that its advice is worth something.</summary>
public sealed class ThresholdAdvisorTests(ITestOutputHelper output)
{
    [Fact]
    public void Percentiles_shares_and_coefficients_are_those_of_the_record()
    {
        // Norms 1 … 100: the mean of all but the largest is 50.
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Range(1, 100).Select(i => (float)i)]));
        Assert.Equal((100, 50.5, 50.0, 100.0), (advice.StepCount, advice.Median, advice.Mean, advice.Largest));
        Assert.Equal(90.1, advice.Percentile90, 1e-9);
        Assert.Equal(95.05, advice.Percentile95, 1e-9);
        Assert.Equal((25.0, 500.0), advice.Range);
        Assert.Equal(95, advice.Suggestion);
        Assert.False(advice.IsSpiky);
        Assert.Null(advice.ExplodedAt);
        Assert.Equal([0.75, 0.75, 0.5, 0.1, 0.05, 0], advice.Candidates.Select(candidate => candidate.ClippedShare));

        ThresholdReplay replay = advice.Replay(20);
        Assert.Equal(("20", 20.0, 0.8, 20.0), (replay.Name, replay.Threshold, replay.ClippedShare, replay.LargestNorm));
        double sum = Enumerable.Range(1, 100).Sum(i => Math.Min(1, 20.0 / i));
        Assert.Equal(sum / 100, replay.MeanCoefficient, 1e-12);
        Assert.Equal((100.0, 1.0), (advice.Replay(1e6).LargestNorm, advice.Replay(1e6).MeanCoefficient));
    }

    [Fact]
    public void A_record_is_replayed_under_a_schedule_and_under_a_rule_that_sees_its_norms()
    {
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Range(1, 100).Select(i => (float)i)]));

        // The median of 1 … t is (t + 1) / 2, which clips all but the first.
        ThresholdReplay median = advice.Replay(Threshold.Percentile(50));
        Assert.Equal((0.99, 50.5), (median.ClippedShare, median.LargestNorm));
        Assert.Equal((50.5 + 1) / 2, median.Threshold, 1e-12);
        Assert.Equal(Enumerable.Range(1, 100).Average(t => (t + 1) / 2.0 / t), median.MeanCoefficient, 1e-12);
        Assert.Equal(median, advice.Replay(Threshold.Percentile(50))); // Nothing is left of a replay.

        // 200 − 2t against t + 1: the norms outgrow it at t = 67.
        ThresholdReplay falling = advice.Replay(Schedule.Linear(200, 1, 0.01, 99), "falling");
        Assert.Equal(("falling", 0.33), (falling.Name, falling.ClippedShare));
    }

    /// <summary>A threshold of +∞ clips nothing: its coefficient is 1.</summary>
    [Fact]
    public void A_warm_up_is_replayed_as_steps_that_nothing_is_clipped_in()
    {
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Range(0, 200).Select(i => 2f + (i % 6))]));
        ThresholdReplay none = advice.Replay(double.PositiveInfinity);
        Assert.Equal((double.PositiveInfinity, 0.0, 1.0, 7.0), (none.Threshold, none.ClippedShare, none.MeanCoefficient, none.LargestNorm));
        Assert.Equal(1, advice.Replay(Threshold.ZScore()).MeanCoefficient);
        Assert.Equal(1, advice.Replay(Threshold.MedianDeviation()).MeanCoefficient);
        Assert.InRange(advice.Replay(Threshold.Percentile(50, warmup: 20)).MeanCoefficient, 0.5, 0.999);
        Assert.Equal((double.PositiveInfinity, 1.0), (advice.Replay(Threshold.Percentile(90, warmup: 150)).Threshold, Math.Round(advice.Replay(Threshold.Percentile(90, warmup: 150)).MeanCoefficient)));

        // With 100 finite thresholds of 200 the median lies between the last of them and +∞; with one of 201 more it is the last.
        Assert.Equal(double.PositiveInfinity, advice.Replay(Threshold.Percentile(90, warmup: 100)).Threshold);
        advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Repeat(2f, 201)]));
        Assert.Equal(2, advice.Replay(Threshold.Percentile(90, warmup: 100)).Threshold);
    }

    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    [InlineData(1e25f)]
    public void A_step_that_was_skipped_has_moved_no_weight_and_is_no_explosion(float norm)
    {
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Range(0, 200).Select(i => i == 3 ? norm : 2f + (i % 6))], NonFinitePolicy.SkipStep));
        Assert.Equal((false, null, 7.0, 7.0), (advice.IsSpiky, advice.ExplodedAt, advice.Suggestion!.Value, advice.Largest));
        Assert.Equal(7, advice.Replay(100).LargestNorm);
        Assert.Equal(4, ThresholdAdvisor.Advise(Record([.. Enumerable.Range(0, 200).Select(i => i == 3 ? norm : 2f + (i % 6))], NonFinitePolicy.Propagate)).ExplodedAt);
    }

    [Fact]
    public void The_largest_norm_is_NaN_if_that_of_a_step_that_was_made_is()
    {
        float[] norms = [.. Enumerable.Range(0, 200).Select(i => i == 3 ? float.NaN : 2f + (i % 6))];
        Assert.True(double.IsNaN(ThresholdAdvisor.Advise(Record(norms, NonFinitePolicy.Propagate)).Largest));
        Assert.Equal(7, ThresholdAdvisor.Advise(Record(norms, NonFinitePolicy.SkipStep)).Largest, 1e-5);
    }

    [Fact]
    public void A_skipped_step_in_a_row_of_several_is_no_explosion_either()
    {
        float[] norms = [.. Enumerable.Range(0, 200).Select(i => i == 5 ? float.PositiveInfinity : 2f + (i % 6))];
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record(norms, NonFinitePolicy.SkipStep, new StepHistory(capacity: 64)));
        Assert.Equal((false, null), (advice.IsSpiky, advice.ExplodedAt));
    }

    [Fact]
    public void Where_norms_explode_now_and_then_half_the_median_is_suggested()
    {
        float[] norms = [.. Enumerable.Range(0, 200).Select(i => i == 50 ? 300f : 2f)];
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record(norms));
        Assert.True(advice.IsSpiky);
        Assert.Equal(1, advice.Suggestion);
        Assert.Contains("with half the median: Clip.GlobalNorm(1)", advice.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_converges_is_not_taken_for_one_that_explodes()
    {
        // From 1 to 1e-6: the first norm is a thousand times the median of all.
        float[] norms = [.. Enumerable.Range(0, 300).Select(i => MathF.Pow(10, -i / 50f))];
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record(norms));
        Assert.Equal((false, null), (advice.IsSpiky, advice.ExplodedAt));
        Assert.Contains("from p95 on", advice.ToString(), StringComparison.Ordinal);
        Assert.Contains("The norms fell from 0.182 to 5.75e-06", advice.ToString(), StringComparison.Ordinal);

        // What towers over its time and over the median is one.
        norms[150] = 1;
        Assert.True(ThresholdAdvisor.Advise(Record(norms)).IsSpiky);
        norms[150] = 1000;
        Assert.Equal(151, ThresholdAdvisor.Advise(Record(norms)).ExplodedAt);
    }

    [Fact]
    public void After_an_explosion_nothing_is_suggested_but_another_recording()
    {
        float[] norms = [.. Enumerable.Range(0, 60).Select(i => i == 30 ? 1e6f : 1f)];
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record(norms));
        Assert.Equal(31, advice.ExplodedAt);
        Assert.Null(advice.Suggestion);
        Assert.Contains("exploded at step 31", advice.ToString(), StringComparison.Ordinal);
        Assert.Contains("a hundredth of the learning rate", advice.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_advice_is_shown_as_text_and_as_HTML()
    {
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Range(1, 100).Select(i => (float)i)]));
        output.WriteLine(advice.ToString());
        Assert.Contains("100 steps: gradient norm 50.5 (median), 50 (mean of the lower 99 %), 90.1 (p90), 95 (p95), 100 (largest).", advice.ToString(), StringComparison.Ordinal);
        Assert.Contains("from p95 on: Clip.GlobalNorm(95)", advice.ToString(), StringComparison.Ordinal);
        string html = advice.ToHtml();
        Assert.Contains("<td>90.1</td><td>p90</td><td>10.0 %</td>", html, StringComparison.Ordinal);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        System.Xml.Linq.XDocument.Parse(html);
    }

    [Fact]
    public void Too_short_a_record_and_a_threshold_of_0_are_refused()
    {
        string message = Assert.Throws<InvalidOperationException>(() => ThresholdAdvisor.Advise(Record([.. Enumerable.Repeat(1f, 12), 0f]))).Message;
        Assert.Contains("12 rows of 13 steps", message, StringComparison.Ordinal);
        Assert.Contains("at least 20", message, StringComparison.Ordinal);
        ThresholdAdvice advice = ThresholdAdvisor.Advise(Record([.. Enumerable.Repeat(1f, 20)]));
        Assert.Contains("must be positive", Assert.Throws<ArgumentOutOfRangeException>(() => advice.Replay(0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => advice.Replay(double.NaN));
    }

    /// <summary>
    /// The network of examples/07-exploding-rnn.cs, in its sizes: without clipping its second step throws it away. The advisor says so, is
    /// given a slow recording, and what it suggests from that trains the network to the example's goal.
    /// </summary>
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Fact]
    public void Its_suggestion_trains_the_exploding_network_to_the_goal_of_the_example()
    {
        ThresholdAdvice exploded = ThresholdAdvisor.Advise(Train(steps: 100, learningRate: 0.01, threshold: null).History);
        output.WriteLine(exploded.ToString());
        Assert.Null(exploded.Suggestion);
        Assert.Equal(2, exploded.ExplodedAt);

        ThresholdAdvice advice = ThresholdAdvisor.Advise(Train(steps: 300, learningRate: 0.0001, threshold: null).History);
        output.WriteLine(advice.ToString());
        Assert.True(advice.IsSpiky);
        (StepHistory history, double loss) = Train(steps: 4000, learningRate: 0.01, advice.Suggestion);
        output.WriteLine($"{history} Loss {loss:0.0000}.");
        Assert.True(loss < 0.03, $"{loss}");
    }

    private static (StepHistory History, double LastLoss) Train(int steps, double learningRate, double? threshold)
    {
        Generator generator = new(1);
        Generator data = generator.For("data");
        Rnn rnn = new(2, 64, new RecurrentOptions { Generator = generator }, Activation.Relu);
        Linear head = new(64, 1, generator: generator);
        using (new NoGrad())
        {
            rnn.Parameters[0].Assign(Tensor.Normal([64, 2], standardDeviation: 0.1f, generator: generator));
            rnn.Parameters[1].Assign(Tensor.Eye(64));
            rnn.Parameters[2].Assign(Tensor.Zeros(64));
            rnn.Parameters[3].Assign(Tensor.Zeros(64));
        }

        Sgd optimizer = new([.. rnn.Parameters, .. head.Parameters], learningRate, momentum: 0.9)
        {
            Clip = threshold is { } c ? [Clip.GlobalNorm(c)] : [],
            NonFinite = NonFinitePolicy.Propagate,
        };
        Scheduler rate = new(Schedule.Cosine(learningRate, steps), value => optimizer.LearningRate = value);
        StepHistory history = new();
        double sum = 0;
        for (int step = 1; step <= steps; step++)
        {
            (Tensor input, Tensor target) = ToyData.AddingProblem(32, 40, data);
            optimizer.ZeroGradients();
            Tensor loss = Loss.MeanSquare(head.Forward(rnn.Forward(input)[.., ^1]), target);
            loss.Backward();
            history.Add(optimizer.Step(), loss);
            rate.Step();
            sum += step > steps - 100 ? loss.Item() : 0;
        }

        return (history, sum / 100);
    }

    private static StepHistory Record(float[] norms, NonFinitePolicy policy = NonFinitePolicy.Throw, StepHistory? given = null)
    {
        StepHistory history = given ?? new();
        Tensor w = Tensor.Zeros(1).WithGradient("w");
        Sgd optimizer = new([w], 1e-9) { NonFinite = policy };
        foreach (float norm in norms)
        {
            history.Add(StepHistoryTests.Step(optimizer, w, norm));
        }

        return history;
    }
}
