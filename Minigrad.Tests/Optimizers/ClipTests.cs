using CsCheck;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>What clipping promises, over random gradients of very different sizes, against a plain reference in double.</summary>
public sealed class ClipTests
{
    private static readonly Gen<double> Scale = Gen.OneOfConst(1e-42, 1e-38, 1e-30, 1e-10, 1e-3, 1.0, 1e3, 1e10, 1e30, 3e37);

    private static readonly Gen<double> Order = Gen.OneOfConst(1.0, 2.0, 3.0, 8.0, 0.5, double.PositiveInfinity);

    private static readonly Gen<float[][]> Gradients =
        from scale in Scale
        from gradients in Gen.Double[-1, 1].Array[1, 40].Array[1, 5]
        select gradients.Select(gradient => Array.ConvertAll(gradient, value => (float)(value * scale))).ToArray();

    [Fact]
    public void The_global_norm_is_never_above_the_threshold_and_the_direction_stays() =>
        Gradients.Select(Order, Gen.Double[-3, 3]).Sample((gradients, order, exponent) =>
        {
            double before = Norm(gradients.SelectMany(g => g), order);
            double threshold = Math.Max(1e-300, before * Math.Pow(10, exponent));
            Tensor[] parameters = Parameters(gradients);
            double measured = Clip.GlobalNorm(threshold, order).Apply(parameters);
            float[][] after = After(parameters);
            double coefficient = threshold / Math.Max(before, threshold);

            // A product is rounded to float32: to half a unit, or to half of the smallest subnormal.
            Close(before, measured, 1e-12);
            return gradients.Zip(after).All(pair => pair.First.Zip(pair.Second).All(values =>
                    Math.Abs(values.Second - (values.First * coefficient)) <= (2e-7 * Math.Abs(values.First * coefficient)) + 2e-45))
                && Norm(after.SelectMany(g => g), order) <= (threshold * (1 + 1e-6)) + (1e-43 * Math.Pow(200, 1 / Math.Min(order, 1)));
        });

    [Fact]
    public void Nothing_below_the_threshold_changes_by_a_bit() =>
        Gradients.Select(Order).Sample((gradients, order) =>
        {
            double norm = Norm(gradients.SelectMany(g => g), order);
            Tensor[] parameters = Parameters(gradients);
            int[] versions = [.. parameters.Select(p => p.Gradient!.Storage.Version)];
            Clip.GlobalNorm(Math.Max(1e-300, norm * 1.0001), order).Apply(parameters);
            return After(parameters).Zip(gradients).All(pair => pair.First.SequenceEqual(pair.Second))
                && parameters.Select(p => p.Gradient!.Storage.Version).SequenceEqual(versions);
        });

    [Theory]
    [InlineData(1.0)]
    [InlineData(2.0)]
    [InlineData(double.PositiveInfinity)]
    public void Clipping_twice_is_clipping_once(double order) =>
        Gradients.Sample(gradients =>
        {
            double norm = Norm(gradients.SelectMany(g => g), order);
            if (norm < 1e-30)
            {
                return; // Subnormal gradients keep too few bits for an exact norm.
            }

            Tensor[] parameters = Parameters(gradients);
            ClipStage stage = Clip.GlobalNorm(norm / 3, order);
            stage.Apply(parameters);
            float[] once = [.. After(parameters).SelectMany(g => g)];
            stage.Apply(parameters);
            float[] twice = [.. After(parameters).SelectMany(g => g)];
            Assert.All(once.Zip(twice), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= (3e-7 * Math.Abs(pair.First)) + 2e-45));
        });

    [Fact]
    public void Parameter_norms_are_clipped_each_by_itself() =>
        Gradients.Select(Order).Sample((gradients, order) =>
        {
            double threshold = Math.Max(1e-300, Norm(gradients[0], order) / 2);
            Tensor[] parameters = Parameters(gradients);
            Clip.ParameterNorm(threshold, order).Apply(parameters);
            return gradients.Zip(After(parameters)).All(pair =>
            {
                double coefficient = threshold / Math.Max(Norm(pair.First, order), threshold);
                return pair.First.Zip(pair.Second).All(values =>
                    Math.Abs(values.Second - (values.First * coefficient)) <= (2e-7 * Math.Abs(values.First * coefficient)) + 2e-45);
            });
        });

    [Fact]
    public void Values_are_clamped_and_the_others_stay() =>
        Gradients.Select(Gen.Double[-3, 1]).Sample((gradients, exponent) =>
        {
            double bound = Math.Max(1e-44, gradients.SelectMany(g => g).Max(value => Math.Abs((double)value)) * Math.Pow(10, exponent));
            Tensor[] parameters = Parameters(gradients);
            Clip.Value(bound).Apply(parameters);
            float limit = (float)bound;
            return gradients.Zip(After(parameters)).All(pair => pair.First.Zip(pair.Second).All(values =>
                values.Second == Math.Clamp(values.First, -limit, limit)));
        });

    [Fact]
    public void The_order_of_stages_matters_and_each_order_is_right()
    {
        // (3, 4) clamped to 3 is (3, 3), whose norm √18 is then scaled to 1; scaled to 1 first it is (0.6, 0.8), below 3.
        Tensor valueFirst = WithGradient([3f, 4f]);
        Step([Clip.Value(3), Clip.GlobalNorm(1)], valueFirst);
        AssertClose([-0.70710678f, -0.70710678f], valueFirst.ToArray());
        Tensor normFirst = WithGradient([3f, 4f]);
        Step([Clip.GlobalNorm(1), Clip.Value(0.7)], normFirst);
        AssertClose([-0.6f, -0.7f], normFirst.ToArray());
        Tensor thrice = WithGradient([3f, 4f]);
        Step([Clip.Value(3), Clip.GlobalNorm(1), Clip.Value(0.5)], thrice);
        AssertClose([-0.5f, -0.5f], thrice.ToArray());
    }

    [Fact]
    public void Any_chain_of_stages_fused_with_the_update_equals_the_chain_applied_by_hand()
    {
        Gen<ClipStage> stage = Gen.OneOf(
            Gen.Double[0.1, 3].Select(c => Clip.Value(c)),
            Gen.Double[0.1, 5].Select(c => Clip.GlobalNorm(c)),
            Gen.Double[0.1, 5].Select(c => Clip.GlobalNorm(c, 1)),
            Gen.Double[0.1, 5].Select(c => Clip.GlobalNorm(c, double.PositiveInfinity)),
            Gen.Double[0.1, 5].Select(c => Clip.ParameterNorm(c)),
            Gen.Double[0.01, 1].Select(c => Clip.UnitNorm(c)),
            Gen.Double[0.01, 1].Select(c => Clip.UnitNorm(c, layout: UnitLayout.Columns)),
            Gen.Double[0.1, 3].Select(c => Clip.BlockRms(c)),
            Gen.Double[0.05, 1].Select(c => Clip.AverageNorm(c)),
            Gen.Double[0, 3].Select(Gen.Double[0.1, 3]).Select((low, high) => Clip.Value(-low, high)));
        stage.Array[0, 4].Select(Gen.ULong).Sample((stages, seed) =>
        {
            Tensor[] fused = Random(seed);
            Tensor[] byHand = Random(seed);
            new Sgd(fused, learningRate: 1) { Clip = stages }.Step();
            foreach (ClipStage each in stages)
            {
                each.Apply(byHand);
            }

            new Sgd(byHand, learningRate: 1).Step();

            // Parameter and gradient are of size 1 to 10, and may cancel: a few units of that, not of the difference.
            Assert.All(fused.Zip(byHand), pair => Assert.All(
                pair.First.ToArray().Zip(pair.Second.ToArray()), values => Assert.Equal(values.First, values.Second, 4e-6f)));
        });
    }

    [Fact]
    public void The_coefficient_is_exact_at_the_threshold_and_safe_at_zero()
    {
        Tensor[] parameters = [WithGradient([3f, 4f])];
        Assert.Equal(5, Clip.GlobalNorm(5).Apply(parameters));
        Assert.Equal([3f, 4f], parameters[0].Gradient!.ToArray());
        Tensor[] zero = [WithGradient([0f, 0f])];
        Assert.Equal(0, Clip.GlobalNorm(1e-30).Apply(zero));
        Assert.Equal([0f, 0f], zero[0].Gradient!.ToArray());
        Assert.Equal(0, Clip.GlobalNorm(1).Apply([WithGradient([])]));
        Assert.Equal(0, Clip.GlobalNorm(1).Apply([Tensor.Ones(3).WithGradient()]));
    }

    [Fact]
    public void PyTorchs_epsilon_is_an_option()
    {
        Tensor[] parameters = [WithGradient([3f, 4f])];
        Clip.GlobalNorm(5, pyTorchEpsilon: 1).Apply(parameters);
        AssertClose([2.5f, 10f / 3f], parameters[0].Gradient!.ToArray());
    }

    [Theory]
    [InlineData(1e30f, 2.0)]
    [InlineData(3e38f, 2.0)]
    [InlineData(1e-30f, 2.0)]
    [InlineData(1e-45f, 2.0)]
    [InlineData(3e38f, 8.0)]
    [InlineData(1e-45f, 8.0)]
    [InlineData(3e38f, 1.0)]
    [InlineData(3e38f, 0.1)]
    public void Norms_neither_overflow_nor_underflow(float value, double order)
    {
        float[] values = [.. Enumerable.Repeat(value, 20_000)];
        double expected = Math.Abs((double)value) * Math.Pow(40_000, 1 / order);
        double norm = Clip.GlobalNorm(double.PositiveInfinity, order).Apply([WithGradient(values), WithGradient(values)]);
        Close(expected, norm, 1e-9);
    }

    [Fact]
    public void A_huge_gradient_keeps_its_direction_where_other_libraries_lose_it()
    {
        Tensor[] parameters = [WithGradient([1e20f, 1f]), WithGradient([3e38f])];
        Clip.GlobalNorm(1).Apply(parameters);
        AssertClose([1e20f / 3e38f, 1f / 3e38f], parameters[0].Gradient!.ToArray());
        AssertClose([1f], parameters[1].Gradient!.ToArray());
    }

    [Fact]
    public void Infinity_measures_and_never_clips()
    {
        Tensor[] parameters = [WithGradient([3f, 4f])];
        Assert.Equal(5, Clip.GlobalNorm(double.PositiveInfinity).Apply(parameters));
        Assert.Equal(7, Clip.GlobalNorm(double.PositiveInfinity, 1).Apply(parameters));
        Assert.Equal(4, Clip.GlobalNorm(double.PositiveInfinity, double.PositiveInfinity).Apply(parameters));
        Assert.Equal([3f, 4f], parameters[0].Gradient!.ToArray());
    }

    [Theory]
    [InlineData(0.0, "Libraries disagree on what 0 means")]
    [InlineData(-1.0, "reverses every gradient")]
    [InlineData(double.NaN, "NaN")]
    public void Thresholds_that_mean_nothing_are_refused_with_the_reason(double threshold, string reason)
    {
        Func<ClipStage>[] stages =
        [
            () => Clip.GlobalNorm(threshold), () => Clip.ParameterNorm(threshold), () => Clip.Value(threshold), () => Clip.UnitNorm(threshold),
        ];
        Assert.All(stages, make => Assert.Contains(
            reason, Assert.Throws<ArgumentOutOfRangeException>(() => make()).Message, StringComparison.Ordinal));
        Assert.Contains("order", Assert.Throws<ArgumentOutOfRangeException>(() => Clip.GlobalNorm(1, threshold)).Message, StringComparison.Ordinal);
    }

    /// <summary>100,000 ones have the norm 10⁵⁰⁰ of the order 0.01, which as ∞ would turn all gradients into 0.</summary>
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.0999)]
    public void An_order_whose_norm_may_be_infinite_is_refused(double order)
    {
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => Clip.GlobalNorm(1, order)).Message;
        Assert.Contains("the order of a norm must be at least 0.1", message, StringComparison.Ordinal);
        Assert.Contains("may be infinite", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Clip.ParameterNorm(1, order));
    }

    [Fact]
    public void Unit_norms_limit_each_row_by_its_weights()
    {
        Tensor weight = Tensor.Of(new float[,] { { 3, 4 }, { 0, 0 }, { 6, 8 } }).WithGradient("weight");
        weight.Gradient = Tensor.Of(new float[,] { { 30, 40 }, { 1, 0 }, { 0.03f, 0.04f } });
        Clip.UnitNorm(0.1, 1e-3).Apply([weight]);

        // Row 0: 50 is over 0.1 · 5. Row 1: weights of zero count as 1e-3. Row 2: 0.05 is below 0.1 · 10.
        AssertClose([0.3f, 0.4f, 1e-4f, 0f, 0.03f, 0.04f], weight.Gradient!.ToArray());
    }

    [Fact]
    public void NaN_is_named_in_a_hand_written_loop_too()
    {
        Tensor bad = WithGradient([1f, float.NaN]);
        bad.Name = "head.weight";
        string message = Assert.Throws<NonFiniteGradientException>(() => Clip.GlobalNorm(1).Apply([bad])).Message;
        Assert.Contains("'head.weight' has NaN at [1]", message, StringComparison.Ordinal);
        Assert.True(double.IsNaN(Clip.GlobalNorm(1).Apply([bad], NonFinitePolicy.SkipStep)));
        Assert.Equal(double.PositiveInfinity, Clip.GlobalNorm(1).Apply([WithGradient([1f, float.NegativeInfinity])], NonFinitePolicy.SkipStep));
        Assert.Equal(1, Clip.GlobalNorm(5).Apply([bad], NonFinitePolicy.ZeroBadValues));
        Assert.Equal([1f, 0f], bad.Gradient!.ToArray());
    }

    [Fact]
    public void Parameters_that_have_one_gradient_are_each_clipped_once()
    {
        foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
        {
            Tensor[] Make() => [Tensor.Of([1f, 2f]).WithGradient("a"), Tensor.Of([300f, 400f]).WithGradient("b"), Tensor.Of([5f, 6f]).WithGradient("c")];
            Tensor[] shared = Make();
            Tensor one = Tensor.Of([30f, -40f]);
            (shared[0].Gradient, shared[1].Gradient, shared[2].Gradient) = (one, one, one.Detach());
            Tensor[] apart = Make();
            foreach (Tensor parameter in apart)
            {
                parameter.Gradient = Tensor.Of([30f, -40f]);
            }

            Assert.Equal(make(0.25).Apply(apart), make(0.25).Apply(shared));
            Assert.Equal(apart.Select(parameter => parameter.Gradient!.ToArray()), shared.Select(parameter => parameter.Gradient!.ToArray()));
            Assert.True(MathF.Abs(shared[0].Gradient!.ToArray()[0]) is > 0f and < 30f, name);
        }
    }

    [Fact]
    public void A_parameter_given_twice_or_with_a_gradient_that_does_not_fit_is_refused()
    {
        Tensor w = Tensor.Zeros(2, 3).WithGradient("layer.weight");
        w.Gradient = Tensor.Ones(2, 3);
        string twice = Assert.Throws<ArgumentException>(() => Clip.GlobalNorm(1).Apply([w, w])).Message;
        Assert.Contains("Clip.GlobalNorm(1).Apply: 'layer.weight' of shape [2, 3] was given twice", twice, StringComparison.Ordinal);
        Assert.Contains("Give each parameter once", twice, StringComparison.Ordinal);
        Assert.All(w.Gradient.ToArray(), value => Assert.Equal(1f, value));
        w.Gradient = Tensor.Ones(3, 2);
        foreach ((string name, Func<Threshold, ClipStage> make) in StageKinds.Stages)
        {
            string message = Assert.Throws<InvalidOperationException>(() => make(0.25).Apply([w])).Message;
            Assert.Contains("'layer.weight' has shape [2, 3]", message, StringComparison.Ordinal);
            Assert.Contains("gradient has shape [3, 2]", message, StringComparison.Ordinal);
            Assert.True(w.Gradient.ToArray().All(value => value == 1f), name);
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void A_stage_of_ones_own_asks_for_no_norm_that_there_is_not(double order)
    {
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => new Measuring(order).Apply([WithGradient([3f, 4f])])).Message;
        Assert.Contains("GradientSet.Norm: the order of a norm must be at least 0.1", message, StringComparison.Ordinal);
        Assert.Equal(7, new Measuring(1).Apply([WithGradient([3f, 4f])]), 1e-12);
    }

    private static void Step(ClipStage[] stages, Tensor parameter) => new Sgd([parameter], learningRate: 1) { Clip = stages }.Step();

    private static Tensor WithGradient(float[] gradient)
    {
        Tensor parameter = Tensor.Zeros(gradient.Length).WithGradient();
        parameter.Gradient = Tensor.Of(gradient);
        return parameter;
    }

    private static Tensor[] Parameters(float[][] gradients) => [.. gradients.Select(WithGradient)];

    private static float[][] After(Tensor[] parameters) => [.. parameters.Select(parameter => parameter.Gradient!.ToArray())];

    private static Tensor[] Random(ulong seed)
    {
        Generator generator = new(seed);
        int[][] shapes = [[3, 4], [5], [], [17, 2]];
        return [.. shapes.Select(shape =>
        {
            Tensor parameter = Tensor.Normal(shape, generator: generator).WithGradient();
            parameter.Gradient = Tensor.Normal(shape, standardDeviation: 3f, generator: generator);
            return parameter;
        })];
    }

    /// <summary>The p-norm in double, scaled by the largest magnitude.</summary>
    private static double Norm(IEnumerable<float> values, double order)
    {
        double largest = values.Max(value => Math.Abs((double)value));
        return largest == 0 || double.IsPositiveInfinity(order)
            ? largest
            : largest * Math.Pow(values.Sum(value => Math.Pow(Math.Abs((double)value) / largest, order)), 1 / order);
    }

    private static void Close(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Abs(expected), $"expected {expected}, got {actual}");

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, (2e-6f * MathF.Abs(pair.First)) + 1e-7f));
    }

    /// <summary>A stage of one's own, which measures.</summary>
    private sealed class Measuring(double order) : ClipStage
    {
        public override string ToString() => "measuring";

        protected internal override double Clip(GradientSet gradients) => gradients.Norm(order);
    }
}
