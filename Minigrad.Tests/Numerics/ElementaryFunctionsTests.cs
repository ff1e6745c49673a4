using System.Runtime.Intrinsics;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Numerics;

/// <summary>
/// The elementary functions over the whole range of float32, in units in the last place, for every number type. The
/// bounds are what was measured, rounded up.
/// </summary>
public sealed class ElementaryFunctionsTests
{
    /// <summary>A prime, so that sampled bit patterns meet every exponent and every kind of mantissa.</summary>
    private const int Stride = 1009;

    /// <summary>Where something changes: signs, subnormals, over- and underflow, and the seams between two formulas.</summary>
    private static readonly float[] Edges =
    [
        0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1.17549435e-38f, 1.17549421e-38f, float.MaxValue, float.MinValue,
        88.72283f, 88.72284f, -87.33655f, -103.27893f, -103.97208f, -103.97209f, 0.625f, 0.62499994f, 0.92f, 0.9199999f,
        3.94f, 9.05f, 0.6666667f, 0.6666666f, 1.3333334f, 1.3333333f, 0.33333334f, 0.33333337f, -0.33333334f, -0.99999994f,
        1e-4f, 1e-8f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 16777216f, 8388608f, 4194304f, 0.7853982f,
        1.5707964f, 3.1415927f, 100000f,
    ];

    private static readonly float[] Samples = MakeSamples();

    public static TheoryData<string, double> Bounds => new()
    {
        { "exp", 1.2 },
        { "expm1", 1.55 },
        { "log", 1.05 },
        { "log1p", 1.3 },
        { "tanh", 1.4 },
        { "sigmoid", 2.1 },
        { "softplus", 1.9 },
        { "erf", 1.7 },
        { "sqrt", 0.5 },
    };

    [Theory]
    [MemberData(nameof(Bounds))]
    public void Lanes_are_accurate_over_the_whole_range(string name, double bound) =>
        AssertAccurate(name, Evaluate(name, Samples), Samples, bound);

    [Theory]
    [MemberData(nameof(Bounds))]
    public void Scalars_are_accurate_over_the_whole_range(string name, double bound) =>
        AssertAccurate(name, Array.ConvertAll(Samples, x => Apply<Scalar>(name, x).Value), Samples, bound);

    [Theory]
    [InlineData("sin")]
    [InlineData("cos")]
    public void Sine_and_cosine_are_accurate_up_to_a_hundred_thousand_and_bounded_beyond(string name)
    {
        // The closest that a float32 below 10⁵ comes to a multiple of π/2, where most digits cancel.
        float[] near = [.. Samples.Where(x => MathF.Abs(x) <= 1e5f), .. NearMultiplesOfHalfPi()];
        AssertAccurate(name, Evaluate(name, near), near, 1.2);
        AssertAccurate(name, Array.ConvertAll(near, x => Apply<Scalar>(name, x).Value), near, 1.2);
        Assert.All(Evaluate(name, Samples), value => Assert.True(float.IsNaN(value) || MathF.Abs(value) <= 1f));
    }

    [Theory]
    [InlineData(2f)]
    [InlineData(3f)]
    [InlineData(-1f)]
    [InlineData(0.5f)]
    [InlineData(-1.5f)]
    [InlineData(33.3f)]
    [InlineData(1e-3f)]
    public void Powers_are_accurate_for_every_base(float exponent) =>
        AssertAccuratePowers(Samples, Array.ConvertAll(Samples, _ => exponent), 2.5);

    [Fact]
    public void Powers_are_accurate_up_to_overflow_and_underflow()
    {
        // Exponents that take each base to some place between 2⁻¹⁵⁰ and 2¹²⁸; some are whole, with bases of either sign.
        Random random = new(1);
        float[] bases = new float[400_000];
        float[] exponents = new float[bases.Length];
        for (int i = 0; i < bases.Length; i++)
        {
            double spread = (2 * random.NextDouble()) - 1;
            double magnitude = (i % 3) switch { 0 => Math.Exp(80 * spread), 1 => Math.Exp(spread), _ => 1 + (1e-3 * spread) };
            bool isWhole = i % 2 == 0;
            bases[i] = (float)(isWhole && i % 4 == 0 ? -magnitude : magnitude);
            float exponent = (float)((random.NextDouble() * 192) - 103) / MathF.Log(MathF.Abs(bases[i]));
            exponents[i] = isWhole ? MathF.Round(exponent) : exponent;
        }

        AssertAccuratePowers(bases, exponents, 4);
    }

    [Fact]
    public void Powers_of_special_numbers_follow_IEEE_754()
    {
        float[] special =
        [
            0f, -0f, 1f, -1f, 2f, -2f, 0.5f, -0.5f, 3f, -3f, 2.5f, -2.5f, 1e30f, -1e30f, 1e-30f, 1e-42f, -1e-42f,
            float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.MaxValue, float.MinValue, float.Epsilon,
            16777215f, -16777215f, 16777217f, 8388607f, 8388607.5f, 4194303.5f, -4194305f, 0.99999994f, -1.0000001f,
        ];
        foreach (float x in special)
        {
            foreach (float y in special)
            {
                float actual = Scalar.Pow(x, y).Value;
                float lanes = Tensor.Of([x]).Map(new WithSecond<Power>(default, y)).ToArray()[0];
                double expected = Math.Pow(x, y);
                Assert.True(UnitsInTheLastPlace(actual, expected) <= 3, $"pow({x}, {y}) = {actual}, expected {expected}");
                Assert.True(UnitsInTheLastPlace(lanes, expected) <= 3, $"pow({x}, {y}) = {lanes} in lanes, expected {expected}");
                Assert.Equal((float)expected == 0 && double.IsNegative(expected), actual == 0 && float.IsNegative(actual));
            }
        }
    }

    [Theory]
    [InlineData("exp", 0f, 1f)]
    [InlineData("exp", float.NegativeInfinity, 0f)]
    [InlineData("exp", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("exp", 88.73f, float.PositiveInfinity)]
    [InlineData("exp", -103.98f, 0f)]
    [InlineData("expm1", -0f, -0f)]
    [InlineData("expm1", float.NegativeInfinity, -1f)]
    [InlineData("log", 0f, float.NegativeInfinity)]
    [InlineData("log", 1f, 0f)]
    [InlineData("log", -1f, float.NaN)]
    [InlineData("log", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("log1p", -0f, -0f)]
    [InlineData("log1p", -1f, float.NegativeInfinity)]
    [InlineData("log1p", -2f, float.NaN)]
    [InlineData("tanh", -0f, -0f)]
    [InlineData("tanh", 1e4f, 1f)]
    [InlineData("tanh", float.NegativeInfinity, -1f)]
    [InlineData("sigmoid", 0f, 0.5f)]
    [InlineData("sigmoid", -1e4f, 0f)]
    [InlineData("sigmoid", float.PositiveInfinity, 1f)]
    [InlineData("softplus", 1e4f, 1e4f)]
    [InlineData("softplus", float.NegativeInfinity, 0f)]
    [InlineData("erf", -0f, -0f)]
    [InlineData("erf", 1e4f, 1f)]
    [InlineData("sin", -0f, -0f)]
    [InlineData("sin", float.PositiveInfinity, float.NaN)]
    [InlineData("cos", 0f, 1f)]
    [InlineData("tanh", float.NaN, float.NaN)]
    [InlineData("exp", float.NaN, float.NaN)]
    [InlineData("log", float.NaN, float.NaN)]
    [InlineData("sigmoid", float.NaN, float.NaN)]
    [InlineData("softplus", float.NaN, float.NaN)]
    [InlineData("erf", float.NaN, float.NaN)]
    [InlineData("sin", float.NaN, float.NaN)]
    [InlineData("sqrt", -1f, float.NaN)]
    public void Edges_are_exact(string name, float x, float expected)
    {
        Assert.Equal(Bits(expected), Bits(Apply<Scalar>(name, x).Value));
        Assert.Equal(Bits(expected), Bits(Evaluate(name, [x])[0]));
    }

    [Theory]
    [MemberData(nameof(Bounds))]
    [InlineData("sin", 1.2)]
    [InlineData("cos", 1.2)]
    public void Every_width_gives_the_same_bits(string name, double bound)
    {
        Assert.True(bound > 0);
        float[] some = [.. Samples[..^(Samples.Length % Lanes512.Count)].Where((_, i) => i % 4096 < Lanes512.Count), .. Edges];
        float[] narrow = EvaluateAt<Lanes128>(name, some);
        Assert.Equal(Array.ConvertAll(narrow, Bits), Array.ConvertAll(EvaluateAt<Lanes256>(name, some), Bits));
        if (Vector512.IsHardwareAccelerated)
        {
            Assert.Equal(Array.ConvertAll(narrow, Bits), Array.ConvertAll(EvaluateAt<Lanes512>(name, some), Bits));
        }
    }

    [Fact]
    public void A_value_does_not_depend_on_its_place_in_the_array()
    {
        float[] some = Samples[..1000];
        float[] whole = Tensor.Of(some).Tanh().ToArray();
        for (int length = 1; length < 70; length++)
        {
            Assert.Equal(
                Array.ConvertAll(whole[(1000 - length)..], Bits),
                Array.ConvertAll(Tensor.Of(some.AsSpan(1000 - length)).Tanh().ToArray(), Bits));
        }
    }

    /// <summary>NaN is one value here, whatever its sign and payload.</summary>
    private static uint Bits(float value) => float.IsNaN(value) ? 0x7FC0_0000u : BitConverter.SingleToUInt32Bits(value);

    private static IEnumerable<float> NearMultiplesOfHalfPi()
    {
        for (int n = -63661; n <= 63661; n++)
        {
            float nearest = (float)(n * (Math.PI / 2));
            yield return nearest;
            yield return MathF.BitIncrement(nearest);
            yield return MathF.BitDecrement(nearest);
        }
    }

    private static void AssertAccuratePowers(float[] bases, float[] exponents, double bound)
    {
        float[] values = Tensor.Of(bases).Pow(Tensor.Of(exponents)).ToArray();
        for (int i = 0; i < bases.Length; i++)
        {
            double expected = Math.Pow(bases[i], exponents[i]);
            double error = UnitsInTheLastPlace(values[i], expected);
            double ofScalar = UnitsInTheLastPlace(Scalar.Pow(bases[i], exponents[i]).Value, expected);
            Assert.True(
                Math.Max(error, ofScalar) <= bound,
                $"pow({bases[i]:g9}, {exponents[i]:g9}) = {values[i]:g9}, off by {error:f2} ulp, a scalar by {ofScalar:f2}");
        }
    }

    private static float[] MakeSamples()
    {
        List<float> samples = [];
        for (long bits = 0; bits < 1L << 32; bits += Stride)
        {
            samples.Add(BitConverter.UInt32BitsToSingle((uint)bits));
        }

        return [.. samples, .. Edges];
    }

    private static void AssertAccurate(string name, float[] values, float[] points, double bound)
    {
        double worst = 0;
        int at = 0;
        for (int i = 0; i < points.Length; i++)
        {
            double error = UnitsInTheLastPlace(values[i], Reference(name, points[i]));
            if (error > worst)
            {
                (worst, at) = (error, i);
            }
        }

        Assert.True(worst <= bound, $"{name}({points[at]:g9}) = {values[at]:g9}, off by {worst:f3} ulp");
    }

    private static double UnitsInTheLastPlace(float actual, double expected)
    {
        if (double.IsNaN(expected) || float.IsNaN(actual))
        {
            return double.IsNaN(expected) && float.IsNaN(actual) ? 0 : double.PositiveInfinity;
        }

        float rounded = (float)expected;
        if (actual == rounded)
        {
            return rounded == 0 || float.IsInfinity(rounded) ? 0 : Math.Abs(actual - expected) / Unit(expected);
        }

        return float.IsInfinity(actual) || float.IsInfinity(rounded)
            ? double.PositiveInfinity
            : Math.Abs(actual - expected) / Unit(expected);
    }

    private static double Unit(double value) =>
        value == 0 ? float.Epsilon : Math.Max(float.Epsilon, Math.ScaleB(1, Math.ILogB(value) - 23));

    private static double Reference(string name, double x) => Apply(name, new Exact(x)).Value;

    internal static T Apply<T>(string name, T x)
        where T : struct, IReal<T> => name switch
        {
            "exp" => T.Exp(x),
            "expm1" => T.ExpM1(x),
            "log" => T.Log(x),
            "log1p" => T.Log1P(x),
            "sin" => T.Sin(x),
            "cos" => T.Cos(x),
            "tanh" => T.Tanh(x),
            "sigmoid" => T.Sigmoid(x),
            "softplus" => T.Softplus(x),
            "erf" => T.Erf(x),
            "sqrt" => T.Sqrt(x),
            _ => throw new ArgumentException(name),
        };

    /// <summary>Through the backend's own loop, at the width of this machine.</summary>
    private static float[] Evaluate(string name, float[] x)
    {
        Tensor input = Tensor.Of(x);
        return (name switch
        {
            "exp" => input.Exp(),
            "expm1" => input.Map(default(ExpM1Op)),
            "log" => input.Log(),
            "log1p" => input.Log1P(),
            "sin" => input.Sin(),
            "cos" => input.Cos(),
            "tanh" => input.Tanh(),
            "sigmoid" => input.Sigmoid(),
            "softplus" => input.Map(default(SoftplusOp)),
            "erf" => input.Map(default(ErfOp)),
            "sqrt" => input.Sqrt(),
            _ => throw new ArgumentException(name),
        }).ToArray();
    }

    private static float[] EvaluateAt<T>(string name, float[] x)
        where T : struct, ILanes<T>
    {
        float[] y = new float[x.Length];
        for (nuint i = 0; i < (nuint)x.Length; i += (nuint)T.Count)
        {
            Lanes.Write(Apply(name, Lanes.Read<T>(in x[0], i, (nuint)x.Length, 1f)), ref y[0], i, (nuint)x.Length);
        }

        return y;
    }

    public readonly struct ExpM1Op : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, IReal<T> => T.ExpM1(x);
    }

    public readonly struct SoftplusOp : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, IReal<T> => T.Softplus(x);
    }

    public readonly struct ErfOp : IUnaryOp
    {
        public T Forward<T>(T x)
            where T : struct, IReal<T> => T.Erf(x);
    }
}
