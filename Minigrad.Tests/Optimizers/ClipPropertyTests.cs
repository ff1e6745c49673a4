using CsCheck;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Optimizers;

/// <summary>
/// What every stage promises over gradients of magnitudes from 1e-30 to 1e30 in one set, with zeros, and where it is said NaN
/// and infinities.
/// </summary>
public sealed class ClipPropertyTests
{
    /// <summary>Rounding of each product to float32.</summary>
    private const double Rounding = 1e-6;

    /// <summary>Of a product that is below the normal numbers.</summary>
    private const double Subnormal = 1e-44;

    private static readonly Gen<float> Element = Gen.Frequency(
        (8, Gen.Select(Gen.Double[-1, 1], Gen.Int[-30, 30], (x, exponent) => (float)(x * Math.Pow(10, exponent)))),
        (1, Gen.Const(0f)));

    private static readonly Gen<float> AnyElement = Gen.Frequency(
        (6, Element), (1, Gen.OneOfConst(float.NaN, float.PositiveInfinity, float.NegativeInfinity)));

    private static readonly Gen<int[]> Shape = Gen.OneOfConst<int[]>([1], [5], [3, 4], [2, 3, 2], [4, 1], [1, 4]);

    private static readonly Gen<(int[] Shape, float[] Values)[]> Gradients = OfElements(Element);

    private static readonly Gen<(int[] Shape, float[] Values)[]> AnyGradients = OfElements(AnyElement);

    private static readonly Gen<double> Threshold = Gen.Double[-32, 32].Select(exponent => Math.Pow(10, exponent));

    public static TheoryData<string> StageNames => [.. StageKinds.Stages.Keys];

    [Theory]
    [MemberData(nameof(StageNames))]
    public void What_is_compared_is_at_most_the_threshold_afterwards(string name) => Gradients.Select(Threshold).Sample((gradients, c) =>
    {
        Tensor[] parameters = Apply(StageKinds.Stages[name](c), gradients);

        // An element that rounds to a subnormal is off by half of the smallest one: of 60 elements in L1, at most 60 of them.
        Assert.All(Measures(name, parameters), measure => Assert.True(
            measure <= (c * (1 + Rounding)) + (100 * Subnormal / (IsRatio(name) ? 1e-3 : 1)), $"{name}({c}): {measure}"));
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void What_is_at_most_the_threshold_stays_to_the_bit(string name) => Gradients.Sample(gradients =>
    {
        double largest = Measures(name, Make(gradients)).Max();
        if (largest > 0)
        {
            Tensor[] parameters = Apply(StageKinds.Stages[name](largest * (1 + 1e-9)), gradients);
            Assert.Equal(gradients.Select(gradient => gradient.Values), Values(parameters));
        }
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void The_direction_of_what_is_scaled_together_stays(string name) => Gradients.Select(Threshold).Sample((gradients, c) =>
    {
        Tensor[] parameters = Apply(StageKinds.Stages[name](c), gradients);
        foreach ((float Before, float After)[] together in Together(name, gradients, parameters))
        {
            // The factor that the largest element got is the factor of all, and none is above 1 or reverses a sign.
            (float before, float after) = together.MaxBy(pair => Math.Abs(pair.Before));
            if (before == 0)
            {
                Assert.All(together, pair => Assert.Equal(0f, pair.After));
                continue;
            }

            double factor = (double)after / before;
            Assert.InRange(factor, 0, 1);
            Assert.All(together, pair => Assert.True(
                Math.Abs(pair.After - (pair.Before * factor)) <= (Rounding * Math.Abs(pair.Before * factor)) + Subnormal + (Subnormal / Math.Abs((double)before) * Math.Abs(pair.Before)),
                $"{name}({c}): {pair.Before} became {pair.After}, but {before} became {after}"));
        }
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void Clipping_twice_is_clipping_once(string name) => Gradients.Select(Threshold).Sample((gradients, c) =>
    {
        ClipStage stage = StageKinds.Stages[name](c);
        Tensor[] parameters = Apply(stage, gradients);
        float[][] once = Values(parameters);
        stage.Apply(parameters);
        Assert.All(once.Zip(Values(parameters)), pair => Assert.All(pair.First.Zip(pair.Second), values => Assert.True(
            Math.Abs(values.First - values.Second) <= (10 * Rounding * Math.Abs(values.First)) + SubnormalsOf(once, values.First), $"{name}({c}): {values.First} became {values.Second}")));
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void A_lower_threshold_leaves_no_element_larger(string name) => Gradients.Select(Threshold, Gen.Double[0, 10]).Sample((gradients, c, exponent) =>
    {
        float[][] high = Values(Apply(StageKinds.Stages[name](c), gradients));
        float[][] low = Values(Apply(StageKinds.Stages[name](c * Math.Pow(10, -exponent)), gradients));
        Assert.All(high.Zip(low), pair => Assert.All(pair.First.Zip(pair.Second), values => Assert.True(
            Math.Abs(values.Second) <= (Math.Abs(values.First) * (1 + Rounding)) + Subnormal)));
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void The_order_of_the_parameters_does_not_matter(string name) => Gradients.Select(Threshold).Sample((gradients, c) =>
    {
        float[][] forward = Values(Apply(StageKinds.Stages[name](c), gradients));
        float[][] backward = Values(Apply(StageKinds.Stages[name](c), [.. gradients.Reverse()]));
        Assert.All(forward.Zip(backward.Reverse()), pair => Assert.All(pair.First.Zip(pair.Second), values => Assert.True(
            Math.Abs(values.First - values.Second) <= (Rounding * Math.Abs(values.First)) + Subnormal)));
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void Rows_of_the_transposed_are_columns(string name)
    {
        if (name != "rows")
        {
            return;
        }

        Element.Array[12].Select(Threshold).Sample((values, c) =>
        {
            Tensor gradient = Tensor.Of(values, 3, 4);
            Tensor rows = Weight(3, 4);
            rows.Gradient = gradient;
            Clip.UnitNorm(c).Apply([rows]);
            Tensor columns = rows.Detach().Transpose().WithGradient();
            columns.Gradient = Tensor.Of(values, 3, 4).Transpose();
            Clip.UnitNorm(c, layout: UnitLayout.Columns).Apply([columns]);
            Assert.Equal(rows.Gradient.ToArray(), columns.Gradient.Transpose().ToArray());
        });
    }

    [Fact]
    public void An_interval_clamps_each_side_by_itself() => Gradients.Select(Threshold, Threshold).Sample((gradients, below, above) =>
    {
        (float low, float high) = ((float)-below, (float)above);
        float[][] after = Values(Apply(Clip.Value(-below, above), gradients));
        Assert.Equal(gradients.Select(gradient => gradient.Values.Select(value => Math.Clamp(value, low, high)).ToArray()), after);
        Assert.Equal(
            gradients.Select(gradient => gradient.Values.Select(value => Math.Min(value, high)).ToArray()),
            Values(Apply(Clip.Value(double.NegativeInfinity, above), gradients)));
        Assert.Equal(
            gradients.Select(gradient => gradient.Values.Select(value => Math.Max(value, 0f)).ToArray()),
            Values(Apply(Clip.Value(0, double.PositiveInfinity), gradients)));
    });

    [Theory]
    [MemberData(nameof(StageNames))]
    public void NaN_and_infinities_are_named_or_zeroed_and_otherwise_stay_visible(string name) => AnyGradients.Select(Threshold).Sample((gradients, c) =>
    {
        bool isFinite = gradients.All(gradient => gradient.Values.All(float.IsFinite));
        (int[] Shape, float[] Values)[] zeroed =
            [.. gradients.Select(gradient => (gradient.Shape, gradient.Values.Select(value => float.IsFinite(value) ? value : 0f).ToArray()))];
        Tensor[] kept = Make(gradients);
        ClipStage stage = StageKinds.Stages[name](c);
        stage.Apply(kept, NonFinitePolicy.ZeroBadValues);
        Assert.Equal(Values(Apply(stage, zeroed)), Values(kept));
        if (isFinite)
        {
            return;
        }

        Tensor[] bad = Make(gradients);
        Assert.Contains("not finite", Assert.Throws<NonFiniteGradientException>(() => stage.Apply(bad)).Message, StringComparison.Ordinal);
        Assert.Equal(gradients.Select(gradient => gradient.Values), Values(bad));
        double norm = gradients.Any(gradient => gradient.Values.Any(float.IsNaN)) ? double.NaN : double.PositiveInfinity;
        Assert.Equal(norm, stage.Apply(bad, NonFinitePolicy.SkipStep));
        Assert.Equal(gradients.Select(gradient => gradient.Values), Values(bad));

        // A NaN must not come out as a number. An infinity that is clamped does; scaled by c / ∞ = 0 it is NaN.
        stage.Apply(bad, NonFinitePolicy.Propagate);
        if (name == "value")
        {
            Assert.Equal(gradients.Select(gradient => gradient.Values.Select(value => Math.Clamp(value, (float)-c, (float)c))), Values(bad));
        }

        Assert.All(gradients.Zip(Values(bad)), pair => Assert.All(pair.First.Values.Zip(pair.Second), values => Assert.True(
            !float.IsNaN(values.First) || float.IsNaN(values.Second), $"{name}({c}): NaN became {values.Second}")));
    });

    /// <summary>Of any chain of stages, what the update reads is what applying it by hand leaves in memory.</summary>
    [Fact]
    public void Fused_with_the_update_every_stage_gives_what_it_writes_by_hand()
    {
        foreach (string name in StageKinds.Stages.Keys)
        {
            Gradients.Select(Gen.Double[-3, 1]).Sample((gradients, exponent) =>
            {
                // Parameters of 0 under a learning rate of 1 become minus the gradient. (A larger one would be refused.)
                (int[] Shape, float[] Values)[] small =
                    [.. gradients.Select(gradient => (gradient.Shape, gradient.Values.Select(value => Math.Clamp(value, -1e15f, 1e15f)).ToArray()))];
                double c = Math.Max(1e-30, Measures(name, Make(small, zero: true)).Max() * Math.Pow(10, exponent));
                Tensor[] byHand = Make(small, zero: true);
                StageKinds.Stages[name](c).Apply(byHand);
                Tensor[] fused = Make(small, zero: true);
                Sgd optimizer = new(fused, learningRate: 1) { Clip = [StageKinds.Stages[name](c)] };
                optimizer.Step();
                Assert.Equal(small.Select(gradient => gradient.Values), Values(fused));
                Assert.All(byHand.Zip(fused), pair => Assert.All(pair.First.Gradient!.ToArray().Zip(pair.Second.ToArray()), values => Assert.True(
                    Math.Abs(values.First + values.Second) <= (Rounding * Math.Abs(values.First)) + Subnormal, $"{name}({c}): {values.First} by hand, {-values.Second} fused")));
            });
        }
    }

    private static Gen<(int[] Shape, float[] Values)[]> OfElements(Gen<float> element) =>
        Shape.SelectMany(shape => element.Array[shape.Aggregate(1, (x, y) => x * y)].Select(values => (shape, values))).Array[1, 4];

    private static bool IsRatio(string name) => name is "rows" or "columns";

    /// <summary>Scaled by the factor that brought a set of tiny numbers to its threshold once, subnormal ones may be scaled once more by as much as they were rounded up.</summary>
    private static double SubnormalsOf(float[][] all, float value) =>
        Subnormal + (all.SelectMany(values => values).All(other => Math.Abs(other) < 1e-36f) ? Math.Abs(value) : 0);

    private static Tensor Weight(params int[] shape) =>
        Tensor.Normal(shape, generator: new Generator((ulong)shape.Length)).WithGradient();

    private static Tensor[] Make((int[] Shape, float[] Values)[] gradients, bool zero = false) => [.. gradients.Select(gradient =>
    {
        Tensor parameter = zero ? Tensor.Zeros(gradient.Shape).WithGradient() : Weight(gradient.Shape);
        parameter.Gradient = Tensor.Of(gradient.Values, gradient.Shape);
        return parameter;
    })];

    private static Tensor[] Apply(ClipStage stage, (int[] Shape, float[] Values)[] gradients)
    {
        Tensor[] parameters = Make(gradients);
        stage.Apply(parameters);
        return parameters;
    }

    private static float[][] Values(Tensor[] parameters) => [.. parameters.Select(parameter => parameter.Gradient!.ToArray())];

    /// <summary>What a stage compares with its threshold, computed in double from the elements alone.</summary>
    private static IEnumerable<double> Measures(string name, Tensor[] parameters)
    {
        float[][] gradients = Values(parameters);
        return name switch
        {
            "global" => [Norm(gradients.SelectMany(g => g), 2)],
            "global L1" => [Norm(gradients.SelectMany(g => g), 1)],
            "global L3" => [Norm(gradients.SelectMany(g => g), 3)],
            "global L∞" or "value" => [Norm(gradients.SelectMany(g => g), double.PositiveInfinity)],
            "parameter" => gradients.Select(g => Norm(g, 2)),
            "parameter L1" => gradients.Select(g => Norm(g, 1)),
            "block RMS" => gradients.Select(g => Norm(g, 2) / Math.Sqrt(g.Length)),
            "average" => gradients.Select(g => Norm(g, 2) / g.Length),
            _ => parameters.SelectMany(parameter => Units(parameter, name).Select(unit =>
                Norm(unit.Select(i => parameter.Gradient!.ToArray()[i]), 2) / Math.Max(1e-3, Norm(unit.Select(i => parameter.ToArray()[i]), 2)))),
        };
    }

    /// <summary>The elements that a stage gives one factor, before and after.</summary>
    private static IEnumerable<(float Before, float After)[]> Together(
        string name, (int[] Shape, float[] Values)[] before, Tensor[] after)
    {
        (float, float)[][] pairs = [.. before.Zip(after, (was, parameter) => was.Values.Zip(parameter.Gradient!.ToArray()).ToArray())];
        return name switch
        {
            "value" => pairs.SelectMany(all => all).Select(pair => new[] { pair }),
            "rows" or "columns" => pairs.SelectMany((all, i) => Units(after[i], name).Select(unit => unit.Select(element => all[element]).ToArray())),
            _ when name.StartsWith("global", StringComparison.Ordinal) => [[.. pairs.SelectMany(all => all)]],
            _ => pairs,
        };
    }

    private static IEnumerable<int[]> Units(Tensor parameter, string name)
    {
        int count = parameter.Rank < 2 ? 1 : name == "rows" ? parameter.Shape[0] : parameter.Shape[^1];
        int length = parameter.Length / count;
        return Enumerable.Range(0, count).Select(unit => Enumerable.Range(0, length)
            .Select(i => name == "rows" || count == 1 ? (unit * length) + i : (i * count) + unit).ToArray());
    }

    /// <summary>The p-norm in double, scaled by the largest magnitude.</summary>
    private static double Norm(IEnumerable<float> values, double order)
    {
        double[] magnitudes = [.. values.Select(value => Math.Abs((double)value))];
        double largest = magnitudes.Max();
        return largest == 0 || double.IsPositiveInfinity(order)
            ? largest
            : largest * Math.Pow(magnitudes.Sum(magnitude => Math.Pow(magnitude / largest, order)), 1 / order);
    }
}
