using Minigrad.Numerics;

namespace Minigrad.Tests.Numerics;

/// <summary>
/// Every derivative rule at ordinary numbers, far out, at zeros and infinities, and at its kinks, against values known by
/// hand; where a rule has a convention, it is PyTorch's.
/// </summary>
public sealed class DualTests
{
    private const float Infinity = float.PositiveInfinity;
    private const float Subnormal = 3.783506e-44f; // e⁻¹⁰⁰

    public static TheoryData<string> SmoothFunctions =>
        ["exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "sqrt"];

    [Theory]
    [InlineData("exp", 100f, Infinity, Infinity)]
    [InlineData("exp", -100f, Subnormal, Subnormal)]
    [InlineData("exp", -1e4f, 0f, 0f)]
    [InlineData("exp", -0f, 1f, 1f)]
    [InlineData("exp", Infinity, Infinity, Infinity)]
    [InlineData("exp", -Infinity, 0f, 0f)]
    [InlineData("expm1", -100f, -1f, Subnormal)]
    [InlineData("expm1", 1e4f, Infinity, Infinity)]
    [InlineData("expm1", -0f, -0f, 1f)]
    [InlineData("expm1", -Infinity, -1f, 0f)]
    [InlineData("log", 100f, 4.605170f, 0.01f)]
    [InlineData("log", 1e4f, 9.210340f, 1e-4f)]
    [InlineData("log", 0f, -Infinity, Infinity)]
    [InlineData("log", -0f, -Infinity, -Infinity)]
    [InlineData("log", -100f, float.NaN, -0.01f)]
    [InlineData("log", Infinity, Infinity, 0f)]
    [InlineData("log1p", 100f, 4.615121f, 1f / 101f)]
    [InlineData("log1p", -1f, -Infinity, Infinity)]
    [InlineData("log1p", -0f, -0f, 1f)]
    [InlineData("log1p", Infinity, Infinity, 0f)]
    [InlineData("tanh", 100f, 1f, 0f)]
    [InlineData("tanh", -1e4f, -1f, 0f)]
    [InlineData("tanh", -0f, -0f, 1f)]
    [InlineData("tanh", -Infinity, -1f, 0f)]
    [InlineData("sigmoid", 100f, 1f, 0f)]
    [InlineData("sigmoid", -100f, Subnormal, Subnormal)]
    [InlineData("sigmoid", -1e4f, 0f, 0f)]
    [InlineData("sigmoid", 0f, 0.5f, 0.25f)]
    [InlineData("sigmoid", Infinity, 1f, 0f)]
    [InlineData("sigmoid", -Infinity, 0f, 0f)]
    [InlineData("softplus", 100f, 100f, 1f)]
    [InlineData("softplus", -100f, Subnormal, Subnormal)]
    [InlineData("softplus", 1e4f, 1e4f, 1f)]
    [InlineData("softplus", -0f, 0.6931472f, 0.5f)]
    [InlineData("softplus", Infinity, Infinity, 1f)]
    [InlineData("softplus", -Infinity, 0f, 0f)]
    [InlineData("erf", 100f, 1f, 0f)]
    [InlineData("erf", -1e4f, -1f, 0f)]
    [InlineData("erf", -0f, -0f, 1.1283792f)]
    [InlineData("erf", Infinity, 1f, 0f)]
    [InlineData("sin", 100f, -0.5063656f, 0.8623189f)]
    [InlineData("sin", 1e4f, -0.3056144f, -0.9521554f)]
    [InlineData("sin", -0f, -0f, 1f)]
    [InlineData("sin", Infinity, float.NaN, float.NaN)]
    [InlineData("cos", -100f, 0.8623189f, -0.5063656f)]
    [InlineData("cos", 0f, 1f, -0f)]
    [InlineData("cos", -Infinity, float.NaN, float.NaN)]
    [InlineData("sqrt", 100f, 10f, 0.05f)]
    [InlineData("sqrt", 0f, 0f, Infinity)]
    [InlineData("sqrt", -0f, -0f, -Infinity)]
    [InlineData("sqrt", -100f, float.NaN, float.NaN)]
    [InlineData("sqrt", Infinity, Infinity, 0f)]
    [InlineData("abs", -100f, 100f, -1f)]
    [InlineData("abs", -0f, 0f, 0f)]
    [InlineData("abs", -Infinity, Infinity, -1f)]
    public void Value_and_slope_are_right_at_the_edges(string name, float x, float value, float slope)
    {
        Dual<Scalar> scalar = Apply(name, new Dual<Scalar>(x, 1f));
        AssertClose(value, scalar.Value.Value);
        AssertClose(slope, scalar.Derivative.Value);

        Dual<Lanes128> lanes = Apply(name, new Dual<Lanes128>(x, 1f));
        AssertClose(value, First(lanes.Value));
        AssertClose(slope, First(lanes.Derivative));
    }

    [Theory]
    [InlineData("abs")]
    [InlineData("cos")]
    [InlineData("erf")]
    [InlineData("exp")]
    [InlineData("expm1")]
    [InlineData("log")]
    [InlineData("log1p")]
    [InlineData("sigmoid")]
    [InlineData("sin")]
    [InlineData("softplus")]
    [InlineData("sqrt")]
    [InlineData("tanh")]
    public void NaN_reaches_value_and_slope(string name)
    {
        Dual<Scalar> result = Apply(name, new Dual<Scalar>(float.NaN, 1f));
        Assert.True(float.IsNaN(result.Value.Value));

        // |x| has the slope 0 wherever it is neither above nor below 0.
        Assert.True(name == "abs" || float.IsNaN(result.Derivative.Value));
    }

    [Theory]
    [InlineData(2f, 3f, 8f, 12f, 5.5451775f)]
    [InlineData(-2f, 3f, -8f, 12f, float.NaN)]
    [InlineData(-2f, 2f, 4f, -4f, float.NaN)]
    [InlineData(0f, 2f, 0f, 0f, 0f)]
    [InlineData(0f, 1f, 0f, 1f, 0f)]
    [InlineData(0f, 0.5f, 0f, Infinity, 0f)]
    [InlineData(0f, 0f, 1f, 0f, 0f)]
    [InlineData(5f, 0f, 1f, 0f, 1.6094379f)]
    [InlineData(Infinity, 0f, 1f, 0f, Infinity)]
    [InlineData(4f, -0.5f, 0.5f, -0.0625f, 0.6931472f)]
    [InlineData(1e-25f, 2f, 0f, 2e-25f, 0f)]
    [InlineData(100f, 10f, 1e20f, 1e19f, 4.605170e20f)]
    public void Powers_have_both_slopes(float x, float y, float value, float ofBase, float ofExponent)
    {
        Dual<Scalar> byBase = Dual<Scalar>.Pow(new(x, 1f), y);
        AssertClose(value, byBase.Value.Value);
        AssertClose(ofBase, byBase.Derivative.Value);
        AssertClose(ofExponent, Dual<Scalar>.Pow(x, new(y, 1f)).Derivative.Value);
    }

    [Theory]
    [InlineData(1f, 2f, 0f, 1f)]
    [InlineData(2f, 1f, 1f, 0f)]
    [InlineData(3f, 3f, 0.5f, 0.5f)]
    [InlineData(0f, -0f, 0.5f, 0.5f)]
    [InlineData(Infinity, Infinity, 0.5f, 0.5f)]
    public void At_a_tie_each_side_gets_half_of_the_slope(float x, float y, float ofX, float ofY)
    {
        Assert.Equal(ofX, Dual<Scalar>.Max(new(x, 1f), y).Derivative.Value);
        Assert.Equal(ofY, Dual<Scalar>.Max(x, new(y, 1f)).Derivative.Value);
        Assert.Equal(ofY, Dual<Scalar>.Min(new(x, 1f), y).Derivative.Value);
        Assert.Equal(ofX, Dual<Scalar>.Min(x, new(y, 1f)).Derivative.Value);
        Assert.Equal(1f, Dual<Scalar>.Max(new(float.NaN, 1f), y).Derivative.Value); // All of it where a value is NaN, as in PyTorch.
    }

    [Fact]
    public void Arithmetic_follows_its_rules()
    {
        Dual<Exact> x = new(3, 2);
        Dual<Exact> y = new(-4, 5);
        Assert.Equal((-1, 7), Parts(x + y));
        Assert.Equal((7, -3), Parts(x - y));
        Assert.Equal((-12, 7), Parts(x * y));
        Assert.Equal((-0.75, ((2 * -4.0) - (3 * 5)) / 16), Parts(x / y));
        Assert.Equal((-3, -2), Parts(-x));
        Assert.Equal((3, 2), Parts(Dual<Exact>.Less(y, x, x, y)));
        Assert.Equal((-4, 5), Parts(Dual<Exact>.Less(x, y, x, y)));
        Assert.Equal((-4, 5), Parts(Dual<Exact>.IfNaN(x, x, y)));
        Assert.Equal((0, 0), Parts(Dual<Exact>.Abs(new(0, 1))));
        Assert.Equal((1.5, 0), Parts(1.5));
    }

    [Theory]
    [MemberData(nameof(SmoothFunctions))]
    public void First_and_second_slopes_are_the_limits_of_differences(string name)
    {
        const double h = 1e-4;
        foreach (double x in (double[])[0.05, 0.3, 0.9, 1.7, 4.2])
        {
            double At(double point) => Apply(name, new Exact(point)).Value;
            double first = (At(x - (2 * h)) - (8 * At(x - h)) + (8 * At(x + h)) - At(x + (2 * h))) / (12 * h);
            double second = (At(x - h) - (2 * At(x)) + At(x + h)) / (h * h);
            Dual<Dual<Exact>> twice = Apply(name, new Dual<Dual<Exact>>(new(x, 1), new(1, 0)));
            Assert.Equal(At(x), twice.Value.Value.Value);
            Assert.Equal(twice.Value.Derivative.Value, twice.Derivative.Value.Value);
            Assert.Equal(first, twice.Value.Derivative.Value, 1e-7 * Math.Max(1, Math.Abs(first)));
            Assert.Equal(second, twice.Derivative.Derivative.Value, 1e-4 * Math.Max(1, Math.Abs(second)));
        }
    }

    [Theory]
    [MemberData(nameof(SmoothFunctions))]
    public void Slopes_in_float32_are_close_to_those_in_float64(string name)
    {
        for (float x = 0.01f; x < 20f; x *= 1.003f)
        {
            double exact = Apply(name, new Dual<Exact>(x, 1)).Derivative.Value;
            float slope = Apply(name, new Dual<Scalar>(x, 1f)).Derivative.Value;
            Assert.Equal(exact, slope, 4e-7 * Math.Max(1, Math.Abs(exact)));
        }
    }

    private static (double Value, double Derivative) Parts(Dual<Exact> x) => (x.Value.Value, x.Derivative.Value);

    private static float First(Lanes128 lanes)
    {
        float[] values = new float[Lanes128.Count];
        Lanes128.Store(lanes, ref values[0], 0);
        return values[0];
    }

    /// <summary>Equal, or equal to six digits; a zero has the right sign.</summary>
    private static void AssertClose(float expected, float actual)
    {
        if (expected == 0 || !float.IsFinite(expected))
        {
            Assert.Equal(expected, actual);
            Assert.True(float.IsNaN(expected) || float.IsNegative(expected) == float.IsNegative(actual), $"{expected} and {actual}");
        }
        else
        {
            Assert.Equal(expected, actual, Math.Max(1e-6f * Math.Abs(expected), float.Epsilon));
        }
    }

    private static T Apply<T>(string name, T x)
        where T : struct, IReal<T> => name == "abs" ? T.Abs(x) : ElementaryFunctionsTests.Apply(name, x);
}
