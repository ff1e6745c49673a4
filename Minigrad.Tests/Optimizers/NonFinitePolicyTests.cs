using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>NaN, infinities and gradients too large to square, under every policy: what stays finite is what is promised.</summary>
public sealed class NonFinitePolicyTests
{
    public static TheoryData<float> BadValues => [float.NaN, float.PositiveInfinity, float.NegativeInfinity];

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Throw_names_parameter_index_count_and_step_and_changes_nothing(float bad)
    {
        (Tensor good, Tensor weight) = Model();
        Adam optimizer = new([good, weight]) { CheckInterval = 1 };
        SetGradients(good, weight, 1f);
        optimizer.Step();
        OptimizerState before = optimizer.State();
        float[] values = weight.ToArray();

        SetGradients(good, weight, bad);
        string message = Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message;
        Assert.Contains("step 2", message, StringComparison.Ordinal);
        Assert.Contains($"'lstm.weight_hh_l0' has {bad} at [1, 2], and 1 bad of 6 elements", message, StringComparison.Ordinal);
        Assert.Contains("NonFinitePolicy.SkipStep", message, StringComparison.Ordinal);
        Assert.Equal(values, weight.ToArray());
        AssertSameState(before, optimizer.State());
    }

    [Fact]
    public void Throw_after_a_stage_that_writes_has_not_changed_the_gradient_either()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        Sgd optimizer = new([w], 1) { AccumulationCount = 4, Clip = [Clip.Value(1e25), Clip.GlobalNorm(1e24)], CheckInterval = 1 };
        w.Gradient = Tensor.Of([1e26f, 4e20f]);
        Assert.Throws<NonFiniteGradientException>(() => optimizer.Step());
        Assert.Equal([1e26f, 4e20f], w.Gradient.ToArray());

        optimizer.NonFinite = NonFinitePolicy.ZeroBadValues;
        optimizer.Step();
        Assert.Equal([1e26f, 4e20f], w.Gradient.ToArray());
        w.Gradient = Tensor.Of([float.NaN, 8f]);
        optimizer.Step();
        Assert.Equal([float.NaN, 8f], w.Gradient.ToArray());
    }

    [Fact]
    public void A_norm_too_large_to_square_is_named_by_its_largest_element_or_by_itself()
    {
        Tensor w = Tensor.Of([1f, 1f, 1f, 1f]).WithGradient("w");
        Sgd optimizer = new([w], 1) { CheckInterval = 1 };
        w.Gradient = Tensor.Of([1f, -2e19f, 3f, 4f]);
        string message = Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message;
        Assert.Contains("its norm is above 1.8e+19", message, StringComparison.Ordinal);
        Assert.Contains("'w' has -2E+19 at [1], and 1 bad of 4 elements", message, StringComparison.Ordinal);

        // No element's square overflows, but the norm tells only that one may.
        w.Gradient = Tensor.Full([4], 1.2e19f);
        Assert.Contains(
            "'w' has a norm of 2.4e+19", Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message, StringComparison.Ordinal);
        w.Gradient = Tensor.Full([4], 0.8e19f);
        optimizer.Step();
        Assert.Equal(1f - 0.8e19f, w.ToArray()[3]);
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void SkipStep_leaves_everything_and_counts(float bad)
    {
        (Tensor good, Tensor weight) = Model();
        Adam optimizer = new([good, weight]) { NonFinite = NonFinitePolicy.SkipStep, MaximumConsecutiveSkips = 2, CheckInterval = 1 };
        SetGradients(good, weight, 1f);
        optimizer.Step();
        OptimizerState before = optimizer.State();
        SetGradients(good, weight, bad);
        StepReport report = optimizer.Step();
        Assert.True(report.WasSkipped);
        Assert.False(double.IsFinite(report.Norm));
        Assert.Equal((1, 1, 1), (optimizer.StepCount, optimizer.SkippedSteps, optimizer.ConsecutiveSkips));
        AssertSameState(before with { SkippedSteps = 1, ConsecutiveSkips = 1 }, optimizer.State());

        SetGradients(good, weight, 1f);
        Assert.False(optimizer.Step().WasSkipped);
        Assert.Equal((2, 1, 0), (optimizer.StepCount, optimizer.SkippedSteps, optimizer.ConsecutiveSkips));
        SetGradients(good, weight, bad);
        optimizer.Step();
        optimizer.Step();
        string message = Assert.Throws<InvalidOperationException>(() => optimizer.Step()).Message;
        Assert.Contains("3 steps in a row", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void ZeroBadValues_uses_the_rest(float bad)
    {
        (Tensor good, Tensor weight) = Model();
        Sgd optimizer = new([good, weight], learningRate: 1) { NonFinite = NonFinitePolicy.ZeroBadValues, Clip = [Clip.GlobalNorm(1)] };
        SetGradients(good, weight, bad);
        StepReport report = optimizer.Step();
        Assert.Equal(Math.Sqrt(3 + 5), report.Norm, 1e-6);
        Assert.Equal(1, report.ClippedNorm, 1e-6);
        float[] values = weight.ToArray();
        Assert.Equal(1f, values[5]);
        Assert.Equal(1f - (1f / MathF.Sqrt(8f)), values[0], 1e-6f);
        AssertFinite(good, weight, optimizer);
    }

    [Fact]
    public void Propagate_lets_NaN_through()
    {
        (Tensor good, Tensor weight) = Model();
        Sgd optimizer = new([good, weight], learningRate: 1) { NonFinite = NonFinitePolicy.Propagate, Clip = [Clip.Value(1)] };
        SetGradients(good, weight, float.NaN);
        optimizer.Step();
        Assert.True(float.IsNaN(weight.ToArray()[5]));
        Assert.Equal(0f, weight.ToArray()[0]);
    }

    [Fact]
    public void Propagate_clamps_the_elements_beside_a_NaN()
    {
        foreach (ClipStage[] stages in (ClipStage[][])[[Clip.Value(5)], [Clip.Value(-5, 5)], [Clip.Value(7), Clip.Value(5)], [Clip.Value(Schedule.Constant(5))]])
        {
            Tensor fused = Tensor.Zeros(3).WithGradient("w");
            fused.Gradient = Tensor.Of([float.NaN, 100f, -100f]);
            Sgd optimizer = new([fused], learningRate: 1) { NonFinite = NonFinitePolicy.Propagate, Clip = stages };
            StepReport report = optimizer.Step();
            Assert.Equal([float.NaN, -5f, 5f], fused.ToArray());
            Assert.All(report.Stages, stage => Assert.True(stage.Acted));
        }

        Tensor byHand = Tensor.Zeros(3).WithGradient("w");
        byHand.Gradient = Tensor.Of([float.NaN, 100f, -100f]);
        Clip.Value(5).Apply([byHand], NonFinitePolicy.Propagate);
        Assert.Equal([float.NaN, 5f, -5f], byHand.Gradient.ToArray());
    }

    [Fact]
    public void Under_Propagate_a_value_stage_without_a_threshold_makes_all_NaN()
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            foreach (ClipStage stage in (ClipStage[])[Clip.Value(Threshold.Percentile(50)), Clip.Value(-1, 2, Threshold.ZScore(warmup: 1, maximum: 3))])
            {
                Tensor w = Tensor.Zeros(3).WithGradient("w");
                w.Gradient = Tensor.Of([bad, 100f, -100f]);
                StageReport report = new Sgd([w], learningRate: 1) { NonFinite = NonFinitePolicy.Propagate, Clip = [stage] }.Step().Stages[0];
                Assert.True(double.IsNaN(report.Threshold) && double.IsNaN(report.Coefficient) && report.Acted);
                Assert.All(w.ToArray(), value => Assert.True(float.IsNaN(value)));
            }
        }
    }

    [Theory]
    [InlineData(NonFinitePolicy.Throw)]
    [InlineData(NonFinitePolicy.SkipStep)]
    [InlineData(NonFinitePolicy.ZeroBadValues)]
    public void A_finite_gradient_whose_square_overflows_does_not_poison_the_moments(NonFinitePolicy policy)
    {
        (Tensor good, Tensor weight) = Model();
        Adam optimizer = new([good, weight]) { NonFinite = policy, CheckInterval = 1 };
        SetGradients(good, weight, 1e25f);
        if (policy == NonFinitePolicy.Throw)
        {
            string message = Assert.Throws<NonFiniteGradientException>(() => optimizer.Step()).Message;
            Assert.Contains("squares overflow", message, StringComparison.Ordinal);
            Assert.Contains("'lstm.weight_hh_l0' has 1E+25 at [1, 2]", message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(policy == NonFinitePolicy.SkipStep, optimizer.Step().WasSkipped);
        }

        AssertFinite(good, weight, optimizer);
    }

    [Fact]
    public void Clipping_makes_a_huge_finite_gradient_usable()
    {
        (Tensor good, Tensor weight) = Model();
        Adam optimizer = new([good, weight]) { Clip = [Clip.GlobalNorm(1)] };
        SetGradients(good, weight, 3e38f);
        StepReport report = optimizer.Step();
        Assert.True(report.WasClipped);
        Assert.True(report.Norm > 3e38);
        AssertFinite(good, weight, optimizer);
        Assert.NotEqual(1f, weight.ToArray()[5]);
    }

    [Fact]
    public void The_norm_of_a_skipped_step_is_that_before_clipping_also_after_a_stage_that_writes()
    {
        Tensor w = Tensor.Of([1f, 1f]).WithGradient("w");
        Sgd optimizer = new([w], 1) { NonFinite = NonFinitePolicy.SkipStep, Clip = [Clip.Value(5e24), Clip.GlobalNorm(double.PositiveInfinity)] };
        w.Gradient = Tensor.Of([1e25f, 0f]);
        StepReport report = optimizer.Step();
        Assert.True(report.WasSkipped);
        Assert.Equal((double)1e25f, report.Norm, 1e17);
        Assert.Equal(report.Norm, Assert.Single(report.ParameterNorms).Norm);
        Assert.Equal((double)5e24f, report.ClippedNorm, 1e17);
    }

    private static (Tensor Good, Tensor Weight) Model() =>
        (Tensor.Ones(3).WithGradient("bias"), Tensor.Ones(2, 3).WithGradient("lstm.weight_hh_l0"));

    private static void SetGradients(Tensor good, Tensor weight, float last)
    {
        good.Gradient = Tensor.Ones(3);
        weight.Gradient = Tensor.Of([1f, 1f, 1f, 1f, 1f, last], 2, 3);
    }

    private static void AssertFinite(Tensor good, Tensor weight, Optimizer optimizer)
    {
        Assert.All(good.ToArray().Concat(weight.ToArray()), value => Assert.True(float.IsFinite(value)));
        Assert.All(optimizer.State().Parameters.SelectMany(p => p.Slots).SelectMany(slot => slot), value => Assert.True(float.IsFinite(value)));
    }

    private static void AssertSameState(OptimizerState expected, OptimizerState actual)
    {
        Assert.Equal((expected.Step, expected.SkippedSteps, expected.ConsecutiveSkips), (actual.Step, actual.SkippedSteps, actual.ConsecutiveSkips));
        for (int i = 0; i < expected.Parameters.Count; i++)
        {
            Assert.Equal(expected.Parameters[i].Step, actual.Parameters[i].Step);
            Assert.Equal(expected.Parameters[i].Slots, actual.Parameters[i].Slots);
        }
    }
}
