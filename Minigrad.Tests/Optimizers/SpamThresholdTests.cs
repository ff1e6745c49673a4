using System.Text.Json;
using CsCheck;
using Minigrad.Backends;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>The threshold of <see cref="Spam"/>: any kind of it against loops over doubles, what enters its histories, its state, and what is refused.</summary>
public sealed class SpamThresholdTests
{
    public static TheoryData<string> ThresholdNames => UpdateThresholdTests.ThresholdNames;

    public static TheoryData<string, string> ThresholdsAndClips
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string threshold in StageKinds.Thresholds.Keys)
            {
                foreach (string clip in PlainOptimizer.Clips)
                {
                    all.Add(threshold, clip);
                }
            }

            return all;
        }
    }

    /// <summary>β₂ = 3/4 and β₁ = 0, so that v and the mean are numbers that one can follow; the threshold is the smallest of three sizes.</summary>
    [Fact]
    public void A_rule_sees_the_largest_square_over_its_mean_and_cuts_what_is_above()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        Spam spam = new([w], 0.125, beta1: 0, beta2: 0.75, threshold: Threshold.Percentile(0, window: 3), delay: 0, warmUp: 0);
        void Step(float[] gradient, StageReport report, float[] means, float[] squares)
        {
            w.Gradient = Tensor.Of(gradient);
            Assert.Equal(report, spam.Step().Stages.Single(), (a, b) =>
                a.Stage == b.Stage && a.Acted == b.Acted && Math.Abs(a.Norm - b.Norm) < 1e-5 && Math.Abs(a.Threshold - b.Threshold) < 1e-5 && Math.Abs(a.Coefficient - b.Coefficient) < 1e-6);
            IReadOnlyList<float[]> slots = spam.State().Parameters[0].Slots;
            Assert.Equal(means, slots[0], (a, b) => Math.Abs(a - b) < 1e-5);
            Assert.Equal(squares, slots[1], (a, b) => Math.Abs(a - b) < 1e-5);
        }

        const string name = "Spam(percentile 0 of 3)";

        // No v is above 0: nothing is measured, and nothing remembered.
        Step([2, 0], new StageReport(name, 0, 0, 1, false), [2, 0], [1, 0]);

        // 9 / 1; the 25 / 0 of the other element does not count.
        Step([3, 5], new StageReport(name, 9, 9, 1, false), [3, 5], [3, 6.25f]);

        // 36 / 3 is above the 9 of before: √(9 · 3) is left of 6. 25 / 6.25 is below.
        float cut = MathF.Sqrt(27);
        Step([6, 5], new StageReport(name, 12, 9, 0.75, true), [cut, 5], [9, 10.9375f]);

        // Just at the threshold nothing is cut, to the bit.
        Step([-9, 0], new StageReport(name, 9, 9, 1, false), [-9, 0], [27, 8.203125f]);

        // The 9s and the 12 have gone on through the window, 3 / 27 is the smallest now.
        Step([MathF.Sqrt(3), 0], new StageReport(name, 1.0 / 9, 1.0 / 9, 1, false), [MathF.Sqrt(3), 0], [21, 6.1523438f]);
        Step([21, 0], new StageReport(name, 21, 1.0 / 9, 1.0 / 189, true), [MathF.Sqrt(21f / 9), 0], [15.75f + (21f / 36), 4.6142578f]);
    }

    /// <summary>
    /// Past a reset, with parameters of no, one and many elements, in two groups, one without a gradient at times, both ways, and with each
    /// clip of the update that the cut gradient makes.
    /// </summary>
    [Theory]
    [MemberData(nameof(ThresholdsAndClips))]
    public void Any_threshold_is_what_plain_loops_over_doubles_give(string threshold, string clip)
    {
        foreach (bool maximize in (bool[])[false, true])
        {
            Tensor[] parameters = UpdateClipTests.Parameters([4, 3], [0, 2], [1], [71]);
            ThresholdHistory history = new("Test", "Plain", StageKinds.Thresholds[threshold](), ThresholdScope.Parameter, string.Empty);
            List<(double Size, double Threshold)> asked = [];
            PlainOptimizer expected = new("spam", clip, parameters)
            {
                Maximize = maximize,
                SpikeThreshold = (i, size) =>
                {
                    double limit = history.ThresholdOf(size, size, history.MemoryOf(parameters[i]), 0);
                    asked.Add((size, limit));
                    return limit;
                },
            };
            Spam optimizer = Make(StageKinds.Thresholds[threshold](), [.. parameters[..2]], [.. parameters[2..]]);
            (optimizer.UpdateClip, optimizer.Maximize) = (PlainOptimizer.ClipOf(clip), maximize);
            Array.Fill(expected.LearningRates, optimizer.LearningRate);
            int acted = 0;
            for (int step = 0; step < 70; step++)
            {
                float[]?[] gradients = UpdateClipTests.Gradients(parameters, step, step % 11 == 7 ? 30f : 1f);
                gradients[2] = step % 9 == 2 ? null : gradients[2];
                UpdateClipTests.Set(parameters, gradients);
                asked.Clear();
                history.Begin(null);
                expected.Step(gradients);
                history.Observe();
                StepReport report = optimizer.Step();
                string what = $"{threshold}, {clip}, step {step + 1}";
                UpdateClipTests.AssertClose(expected.Parameters, parameters, what);
                bool isReported = threshold is not ("fixed" or "schedule");
                Assert.Equal((isReported ? 1 : 0) + (clip == "none" ? 0 : 1), report.Stages.Count);
                if (isReported)
                {
                    StageReport stage = report.Stages[0];
                    AssertNear(asked.Max(pair => pair.Size), stage.Norm, what);
                    AssertNear(asked.Min(pair => pair.Threshold), stage.Threshold, what);
                    AssertNear(asked.Min(pair => pair.Size > pair.Threshold ? pair.Threshold / pair.Size : 1), stage.Coefficient, what);
                    Assert.Equal(stage.Coefficient < 1, stage.Acted);
                    acted += stage.Acted ? 1 : 0;
                }
            }

            Assert.True(acted > 5 || threshold is "fixed" or "schedule", $"{threshold} acted {acted} times.");
            double[] known = [.. parameters.SelectMany(history.MemoryOf)];
            Assert.Equal(threshold == "fixed" ? 0 : 1, optimizer.State().Stages.Count);
            Assert.Equal(known.Length, optimizer.RuleThreshold.Memories(parameters).Sum(memory => memory.Length));
            foreach ((double one, double other) in known.Zip(parameters.SelectMany(optimizer.RuleThreshold.MemoryOf)))
            {
                AssertNear(one, other, threshold);
            }
        }
    }

    [Fact]
    public void A_number_is_the_same_however_it_is_given_and_is_not_measured()
    {
        uint[] Train(Threshold? threshold)
        {
            Tensor[] parameters = UpdateClipTests.Parameters([4, 3], [70]);
            Spam spam = new(parameters, 0.02, threshold: threshold, resetInterval: 12, warmUp: 3, delay: 2);
            for (int step = 0; step < 20; step++)
            {
                UpdateClipTests.Set(parameters, UpdateClipTests.Gradients(parameters, step, step % 5 == 4 ? 30f : 1f));
                Assert.Empty(spam.Step().Stages);
            }

            return UpdateClipTests.Bits(parameters);
        }

        uint[] expected = Train(4);
        Assert.Equal(expected, Train(Threshold.Fixed(4)));
        Assert.Equal(expected, Train(Schedule.Constant(4)));
        Assert.NotEqual(expected, Train(null));
        Assert.Equal(Train(null), Train(5000));
        Assert.Equal("5000", new Spam([Tensor.Ones(1).WithGradient()]).Threshold.ToString());
    }

    [Fact]
    public void A_schedule_follows_the_steps_asked_for()
    {
        Tensor w = Tensor.Of([0f]).WithGradient("w");
        Spam spam = new([w], 1, beta1: 0, beta2: 0.75, threshold: Schedule.Exponential(32, 0.5), delay: 0, warmUp: 0) { NonFinite = NonFinitePolicy.SkipStep };

        // v is 1, then 100 is cut to √(8 · 1) at the third step asked for; the second was skipped.
        foreach ((float gradient, double mean) in ((float, double)[])[(2f, 2), (float.NaN, 2), (100f, Math.Sqrt(8))])
        {
            w.Gradient = Tensor.Of([gradient]);
            spam.Step();
            Assert.Equal(mean, spam.State().Parameters[0].Slots[0][0], 1e-6);
        }

        Assert.Equal(("Spam(a schedule)", 3), (spam.State().Stages.Single().Stage, spam.State().Stages.Single().Asked));
    }

    [Fact]
    public void Where_spikes_are_not_looked_for_nothing_enters_a_history()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        Spam spam = new([w], threshold: Threshold.MedianDeviation(window: 20, warmup: 1), resetInterval: 6, delay: 2, warmUp: 0);
        Tensor x = Tensor.Of([1f, 1f]).WithGradient("x");
        Spam reset = new([x], threshold: Threshold.MedianDeviation(window: 20, warmup: 1), resetInterval: 6, delay: 0, warmUp: 0);
        for (int step = 1; step <= 20; step++)
        {
            foreach ((Tensor parameter, Spam optimizer, bool isLooking) in ((Tensor, Spam, bool)[])[(w, spam, step % 6 >= 2), (x, reset, step % 6 >= 1 && step > 1)])
            {
                double[] before = Memory(optimizer);
                parameter.Gradient = Tensor.Of([1f + (step % 4), -2f]);
                double size = optimizer.Step().Stages.Single().Norm;
                Assert.Equal((step, isLooking), (step, size > 0));
                Assert.Equal((step, isLooking), (step, !before.SequenceEqual(Memory(optimizer))));
            }
        }

        static double[] Memory(Spam optimizer) => optimizer.State().Stages.Single().Memories.Single();
    }

    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void A_state_saved_under_any_threshold_continues_to_the_same_bits(string threshold)
    {
        (Tensor[] Parameters, Spam Optimizer) NewRun()
        {
            Tensor[] parameters = UpdateClipTests.Parameters([4, 3], [5]);
            Spam optimizer = new(parameters, 0.1, threshold: StageKinds.Thresholds[threshold](), resetInterval: 8, warmUp: 3, delay: 1)
            {
                Clip = [Clip.GlobalNorm(Threshold.Percentile(80, window: 3))],
                UpdateClip = UpdateClip.Rms(Threshold.Percentile(50, window: 3)),
            };
            return (parameters, optimizer);
        }

        List<StageReport> Steps((Tensor[] Parameters, Spam Optimizer) run, int from, int to)
        {
            List<StageReport> reports = [];
            for (int step = from; step < to; step++)
            {
                UpdateClipTests.Set(run.Parameters, UpdateClipTests.Gradients(run.Parameters, step, step % 3 == 2 ? 9f : 1f));
                reports.AddRange(run.Optimizer.Step().Stages);
            }

            return reports;
        }

        (Tensor[] Parameters, Spam Optimizer) run = NewRun();
        (Tensor[] Parameters, Spam Optimizer) other = NewRun();
        Steps(run, 0, 10);
        Steps(other, 30, 33);
        for (int i = 0; i < run.Parameters.Length; i++)
        {
            other.Parameters[i].Backend.Upload(run.Parameters[i].ToArray(), other.Parameters[i].Storage);
        }

        other.Optimizer.Restore(JsonSerializer.Deserialize<OptimizerState>(JsonSerializer.Serialize(run.Optimizer.State()))!);
        Assert.Equal(Steps(run, 10, 25), Steps(other, 10, 25));
        Assert.Equal(UpdateClipTests.Bits(run.Parameters), UpdateClipTests.Bits(other.Parameters));
        Assert.Equal(JsonSerializer.Serialize(run.Optimizer.State()), JsonSerializer.Serialize(other.Optimizer.State()));
    }

    [Theory]
    [MemberData(nameof(ThresholdNames))]
    public void A_step_that_is_not_made_leaves_no_trace(string threshold)
    {
        string Run(params float[] extra)
        {
            Tensor w = Tensor.Of([0.5f, -2f]).WithGradient("w");
            Spam optimizer = new([w], 0.01, threshold: StageKinds.Thresholds[threshold](), delay: 0) { CheckInterval = 1 };
            for (int step = 0; step < 6; step++)
            {
                // A schedule counts what is asked for, also if no step comes of it.
                foreach (float bad in step == 3 && threshold != "schedule" ? extra : [])
                {
                    w.Gradient = Tensor.Of([bad, 1f]);
                    optimizer.NonFinite = NonFinitePolicy.SkipStep;
                    Assert.True(optimizer.Step().WasSkipped);
                    optimizer.NonFinite = NonFinitePolicy.Throw;
                    Assert.Throws<NonFiniteGradientException>(optimizer.Step);
                }

                w.Gradient = Tensor.Of([1f + step, 0.3f]);
                optimizer.Step();
            }

            OptimizerState state = optimizer.State();
            return JsonSerializer.Serialize((w.ToArray(), state.Parameters[0].Slots, state.Stages.Select(stage => stage.Memories).ToArray()), WithFields);
        }

        Assert.Equal(Run(), Run(float.NaN, float.PositiveInfinity, 1e25f));
    }

    [Fact]
    public void A_gradient_that_is_not_finite_and_is_used_makes_the_threshold_NaN_and_is_not_remembered()
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
            Tensor other = Tensor.Of([1f]).WithGradient("other");
            Spam spam = new([w, other], threshold: Threshold.Percentile(50, window: 3), delay: 0) { NonFinite = NonFinitePolicy.Propagate };
            StageReport report = default;
            double[] before = [];
            foreach (float gradient in (float[])[1f, 2f, bad])
            {
                before = spam.State().Stages.Single().Memories[0];
                (w.Gradient, other.Gradient) = (Tensor.Of([1f, gradient]), Tensor.Of([float.IsFinite(gradient) ? gradient : 1f]));
                report = spam.Step().Stages.Single();
            }

            Assert.True(double.IsNaN(report.Norm) || double.IsPositiveInfinity(report.Norm));
            Assert.True(double.IsNaN(report.Threshold) && double.IsNaN(report.Coefficient) && report.Acted);
            Assert.Equal(before, spam.State().Stages.Single().Memories[0]);
            Assert.All(w.ToArray(), value => Assert.True(float.IsNaN(value)));
            Assert.True(float.IsFinite(other.ToArray()[0]));
        }
    }

    /// <summary>
    /// √v, the division and what a tail is padded with are float32: two roundings, doubled by the square. From the smallest v to the
    /// largest gradient that a step accepts, no size is infinite, so no finite gradient is without a threshold.
    /// </summary>
    [Fact]
    public void What_is_measured_of_any_finite_gradients_is_finite_and_right()
    {
        const double tolerance = 1.01 / (1 << 22);
        Gen<float> gradient = Gen.Select(Gen.Int[-149, 60], Gen.Double[1, 2], Gen.Bool, Gen.Int[0, 5], (exponent, significand, isNegative, zero) =>
            zero == 0 ? 0f : (float)((isNegative ? -1 : 1) * Math.ScaleB(significand, exponent)));
        Check([[1e-21f], [1.79e19f], [1f]]);
        Check([[1.79e19f, 1e-21f], [1e-21f, -1.79e19f], [1e-45f, 1e-45f]]);
        Gen.Int[1, 40].SelectMany(length => gradient.Array[length].Array[2, 6]).Sample(Check, iter: 2000);

        static void Check(float[][] steps)
        {
            Tensor w = Tensor.Of(new float[steps[0].Length]).WithGradient("w");
            Spam spam = new([w], threshold: Threshold.Percentile(50, window: 4), delay: 0, warmUp: 0);
            foreach (float[] step in steps)
            {
                float[] squares = spam.State().Parameters[0].Slots is [_, float[] known] ? known : new float[step.Length];
                double size = step.Zip(squares).Where(pair => pair.Second > 0).Select(pair => (double)pair.First * pair.First / pair.Second).Append(0).Max();
                w.Gradient = Tensor.Of(step);
                StageReport report = spam.Step().Stages.Single();
                Assert.True(double.IsFinite(report.Norm) && double.IsFinite(report.Threshold));

                // A size that small is of gradients that are as good as 0 beside what came before them.
                if (size > 1e-40)
                {
                    Assert.Equal(size, report.Norm, tolerance * size);
                }

                Assert.All(w.ToArray(), value => Assert.True(float.IsFinite(value)));
            }
        }
    }

    [Fact]
    public void What_a_threshold_cannot_be_is_refused_with_the_reason()
    {
        Tensor w = Tensor.Of([1f]).WithGradient("w");
        w.Gradient = Tensor.Of([1f]);
        Teaches<ArgumentOutOfRangeException>(() => _ = new Spam([w], threshold: -1), "threshold θ", "-1", "5000 is usual");
        Teaches<ArgumentOutOfRangeException>(() => _ = new Spam([new ParameterGroup([w])], threshold: double.NaN), "threshold θ", "NaN");
        Teaches<InvalidOperationException>(() => new Spam([w], threshold: Schedule.Constant(0)).Step(), "Optimizers.Spam", "schedule", "must be positive");
        Assert.Equal(1f, w.ToArray()[0]);
        OptimizerState state = new Spam([w], threshold: Threshold.Percentile()).State();
        Teaches<ArgumentException>(() => new Spam([w]).Restore(state), "Spam(percentile 10 of 1000)", "The threshold of Spam is set where it is made");
        Teaches<ArgumentException>(() => new Spam([w], threshold: Threshold.Percentile(20)).Restore(state), "Spam(percentile 20 of 1000)");
    }

    private static JsonSerializerOptions WithFields { get; } = new() { IncludeFields = true };

    private static Spam Make(Threshold threshold, params Tensor[][] groups) => new(
        groups.Select(group => new ParameterGroup(group)), 0.02, threshold: threshold, resetInterval: 60, warmUp: 20, delay: 3);

    private static void AssertNear(double expected, double actual, string what) => Assert.True(
        expected.Equals(actual) || Math.Abs(expected - actual) <= 1e-4 * Math.Abs(expected), $"{what}: {actual:R}, expected {expected:R}");

    private static void Teaches<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
