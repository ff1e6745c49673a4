using System.Reflection;
using CsCheck;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Operations;

/// <summary>
/// Every formula in the library, found by reflection: its value in float32 against the same formula in double, its
/// derivative by Dual against differences, its second derivative against differences of the first.
/// </summary>
public sealed class FormulaTests
{
    private static readonly Type[] Structs = [.. typeof(IUnaryOp).Assembly.GetTypes()
        .Where(type => type is { IsPublic: true, IsValueType: true, IsGenericTypeDefinition: false })];

    /// <summary>All but roundings, which are no smooth functions; <see cref="RoundingTests"/> holds them to the bit.</summary>
    public static TheoryData<string> Unary => Names(typeof(IUnaryOp), except: typeof(IRounding));

    public static TheoryData<string> Binary => Names(typeof(IBinaryOp));

    public static TheoryData<string> WithOutputSlope => Names(typeof(IOutputSlope));

    [Theory]
    [MemberData(nameof(Unary))]
    public void Unary_formula_agrees_with_double_and_its_derivatives_with_differences(string name) =>
        Run(nameof(CheckUnary), Make(name));

    [Theory]
    [MemberData(nameof(Binary))]
    public void Binary_formula_agrees_with_double_and_its_derivatives_with_differences(string name) =>
        Run(nameof(CheckBinary), Make(name));

    [Theory]
    [MemberData(nameof(WithOutputSlope))]
    public void Declared_slope_equals_the_derived_one(string name) => Run(nameof(CheckOutputSlope), Make(name));

    [Fact]
    public void No_formula_holds_a_bool_which_kernels_refuse() => Assert.All(
        Structs.Where(type => typeof(IUnaryOp).IsAssignableFrom(type) || typeof(IBinaryOp).IsAssignableFrom(type)),
        type => Assert.DoesNotContain(
            type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public), field => field.FieldType == typeof(bool)));

    [Theory]
    [InlineData(100f)]
    [InlineData(-100f)]
    [InlineData(1e4f)]
    [InlineData(-1e4f)]
    [InlineData(0f)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Sigmoid_tanh_and_softplus_keep_finite_slopes_everywhere(float x)
    {
        Assert.True(float.IsFinite(SlopeOf(default(LogisticSigmoid), x)));
        Assert.True(float.IsFinite(SlopeOf(default(HyperbolicTangent), x)));
        Assert.True(float.IsFinite(SlopeOf(new SoftRectifier(1f, 20f), x)));
        if (float.IsFinite(x))
        {
            Assert.Equal(x >= 88f ? 1f : x <= -88f ? 0f : 0.5f, SlopeOf(default(SigmoidLinear), x), 1e-5f);
        }
    }

    [Fact]
    public void Kinks_and_ties_follow_PyTorch()
    {
        Assert.Equal(0f, SlopeOf(default(Sign), float.NaN));
        Assert.Equal(0f, SlopeOf(default(Absolute), 0f));
        Assert.Equal(0f, SlopeOf(default(Rectifier), 0f));
        Assert.Equal(1f, SlopeOf(new ClampBetween(-1f, 1f), 1f));
        Assert.Equal(1f, SlopeOf(new ClampBetween(-1f, 1f), -1f));
        Assert.Equal(float.PositiveInfinity, SlopeOf(default(SquareRoot), 0f));
        Assert.Equal(0f, SlopeOf(new WithSecond<Power>(default, 0f), 0f));
        Assert.Equal(0f, SlopeOf(new WithSecond<Power>(default, 2f), 0f));
        Assert.Equal(0.5f, new FirstSlope<Maximum>(default).Forward<Scalar>(2f, 2f).Value);
        Assert.Equal(0.5f, new SecondSlope<Minimum>(default).Forward<Scalar>(2f, 2f).Value);
    }

    private static float SlopeOf<TOp>(TOp op, float x)
        where TOp : unmanaged, IUnaryOp => new Slope<TOp>(op).Forward<Scalar>(x).Value;

    private static TheoryData<string> Names(Type contract, Type? except = null) =>
        [.. Structs.Where(type => contract.IsAssignableFrom(type) && except?.IsAssignableFrom(type) is not true).Select(type => type.Name)];

    /// <summary>A formula with its constants filled in: small, different positive numbers.</summary>
    private static object Make(string name)
    {
        Type type = Structs.Single(candidate => candidate.Name == name);
        ConstructorInfo? constructor = type.GetConstructors().MaxBy(candidate => candidate.GetParameters().Length);
        object[] constants = [.. (constructor?.GetParameters() ?? []).Select((parameter, i) => (object)(parameter.Name == "minimum" ? -0.4f : 0.7f + (0.6f * i)))];
        return constructor is null ? Activator.CreateInstance(type)! : constructor.Invoke(constants);
    }

    private static void Run(string method, object op) =>
        typeof(FormulaTests).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(op.GetType()).Invoke(null, [op]);

    private static void CheckUnary<TOp>(TOp op)
        where TOp : unmanaged, IUnaryOp
    {
        double Value(double x) => op.Forward(new Exact(x)).Value;
        double First(double x) => op.Forward(new Dual<Exact>(x, 1.0)).Derivative.Value;
        double Second(double x) => new Slope<TOp>(op).Forward(new Dual<Exact>(x, 1.0)).Derivative.Value;
        Gen.Double[0.05, 2.5].Select(Gen.Bool).Sample((magnitude, isNegative) =>
        {
            double x = (float)(isNegative ? -magnitude : magnitude);
            double value = Value(x);
            if (!double.IsFinite(value) || IsKink(Value, First, Second, x))
            {
                return;
            }

            AssertClose(value, op.Forward<Scalar>((float)x).Value, 5e-6, "value in float32");
            AssertClose(value, Tensor.Of([(float)x]).Map(op).Item(), 5e-6, "value in lanes");
            AssertClose(Difference(Value, x), First(x), 1e-6, "slope");
            AssertClose(First(x), Tensor.Of([(float)x]).Map(new Slope<TOp>(op)).Item(), 1e-5, "slope in lanes");
            AssertClose(Difference(First, x), Second(x), 1e-5, "second slope");
            AssertClose(Second(x), new Slope<Slope<TOp>>(new Slope<TOp>(op)).Forward<Scalar>((float)x).Value, 1e-4, "second slope in float32");
        });
    }

    private static void CheckBinary<TOp>(TOp op)
        where TOp : unmanaged, IBinaryOp =>
        Gen.Double[0.05, 2.5].Select(Gen.Double[0.05, 2.5], Gen.Int[0, 3]).Sample((p, q, signs) =>
        {
            // Negative bases of a power are no smooth function of the exponent; other formulas take any sign.
            bool isSigned = typeof(TOp) != typeof(Power);
            double a = (float)((signs & 1) != 0 && isSigned ? -p : p);
            double b = (float)((signs & 2) != 0 && isSigned ? -q : q);
            double Value(double x, double y) => op.Forward(new Exact(x), new Exact(y)).Value;
            double First(double x, double y) => new FirstSlope<TOp>(op).Forward(new Exact(x), new Exact(y)).Value;
            double Second(double x, double y) => new SecondSlope<TOp>(op).Forward(new Exact(x), new Exact(y)).Value;
            double FirstTwice(double x, double y) => new FirstSlope<FirstSlope<TOp>>(new FirstSlope<TOp>(op)).Forward(new Exact(x), new Exact(y)).Value;
            double Mixed(double x, double y) => new SecondSlope<FirstSlope<TOp>>(new FirstSlope<TOp>(op)).Forward(new Exact(x), new Exact(y)).Value;
            double value = Value(a, b);
            if (!double.IsFinite(value)
                || IsKink(x => Value(x, b), x => First(x, b), x => FirstTwice(x, b), a)
                || IsKink(y => Value(a, y), y => Second(a, y), y => Mixed(a, y), b))
            {
                return;
            }

            AssertClose(value, op.Forward<Scalar>((float)a, (float)b).Value, 5e-6, "value in float32");
            AssertClose(Difference(x => Value(x, b), a), First(a, b), 1e-6, "first slope");
            AssertClose(Difference(y => Value(a, y), b), Second(a, b), 1e-6, "second slope");
            AssertClose(Difference(x => First(x, b), a), FirstTwice(a, b), 1e-5, "slope of the slope");
            AssertClose(Difference(y => First(a, y), b), Mixed(a, b), 1e-5, "mixed slope");
        });

    private static void CheckOutputSlope<TOp>(TOp op)
        where TOp : unmanaged, IOutputSlope =>
        Gen.Double[-4, 4].Sample(x =>
        {
            Exact y = op.Forward(new Exact(x));
            if (double.IsFinite(y.Value) && y.Value != 0)
            {
                AssertClose(op.Forward(new Dual<Exact>(x, 1.0)).Derivative.Value, op.SlopeFromOutput(y).Value, 1e-12, "declared slope");
            }
        });

    private static double Difference(Func<double, double> f, double x)
    {
        const double Step = 1e-4;
        return ((8 * (f(x + Step) - f(x - Step))) - (f(x + (2 * Step)) - f(x - (2 * Step)))) / (12 * Step);
    }

    /// <summary>Whether a kink or jump of the function or its slope lies where differences would step over it.</summary>
    private static bool IsKink(Func<double, double> value, Func<double, double> slope, Func<double, double> second, double x)
    {
        const double Reach = 1e-3;
        return Jumps(slope(x - Reach), slope(x + Reach)) || Jumps(second(x - Reach), second(x + Reach))
            || Math.Abs(value(x + Reach) - value(x - Reach)) > 0.5;
    }

    private static bool Jumps(double left, double right) =>
        !double.IsFinite(left) || !double.IsFinite(right)
        || Math.Abs(right - left) > 0.05 * Math.Max(1e-6, Math.Abs(left) + Math.Abs(right));

    private static void AssertClose(double expected, double actual, double tolerance, string what) =>
        Assert.True(
            Math.Abs(expected - actual) <= tolerance * (1 + Math.Abs(expected)), $"{what}: expected {expected:g9}, got {actual:g9}");
}
