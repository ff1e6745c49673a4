using System.Reflection;
using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Holds every formula, and the derivative of every formula, against the CPU at ordinary numbers, zeros, subnormals,
/// infinities and NaN, within the units in the last place that <see cref="ProgramOperation"/> allows. On a real device or PoCL this is what finds miscompiled kernels.
/// </summary>
public sealed class FormulaTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Wrappers that hold an operand fixed, and leave the value a value; all others are slopes.</summary>
    private static readonly Type[] Applied = [typeof(WithFirst<>), typeof(WithSecond<>), typeof(ByNumber<>)];

    private static readonly float[] Values =
    [
        0f, -0f, 0.3f, -0.3f, 1f, -1f, 2.5f, -7f, 12f, 30f,
        float.Epsilon, -float.Epsilon, 1e-39f, -1e-39f, 1.17549435e-38f, 88f, -104f, 3e38f,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    [Theory]
    [InlineData(typeof(IUnaryOp), 1, nameof(RunUnary))]
    [InlineData(typeof(IBinaryOp), 2, nameof(RunBinary))]
    [InlineData(typeof(ITernaryOp), 3, nameof(RunTernary))]
    public void Every_formula_gives_what_it_gives_on_the_CPU(Type contract, int operands, string method)
    {
        MethodInfo run = typeof(FormulaTests).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!;
        List<string> differences = [];
        foreach (Type formula in FormulaTypes.Implementing(contract))
        {
            MethodInfo closed = run.MakeGenericMethod(formula);
            float[] expected = (float[])closed.Invoke(null, [CpuBackend.Instance, RuntimeHelpers.GetUninitializedObject(formula)])!;
            float[] found = (float[])closed.Invoke(null, [fixture.Backend, RuntimeHelpers.GetUninitializedObject(formula)])!;
            differences.AddRange(Enumerable.Range(0, expected.Length)
                .Where(i => !AreClose(formula, Arguments(i, operands), expected[i], found[i]))
                .Take(3)
                .Select(i => $"{formula}({string.Join(", ", Arguments(i, operands))}): {found[i]:R}, on the CPU {expected[i]:R}"));
        }

        Assert.True(differences.Count == 0, string.Join(Environment.NewLine, differences));
    }

    private static bool AreClose(Type formula, float[] operands, float expected, float found)
    {
        if (expected.Equals(found) || expected == found)
        {
            return true;
        }

        (Type innermost, bool isSlope, bool hasGradient) = (formula, false, false);
        while (innermost.IsGenericType)
        {
            isSlope |= !Applied.Contains(innermost.GetGenericTypeDefinition());
            hasGradient |= innermost.Name.Contains("Backward", StringComparison.Ordinal);
            innermost = innermost.GetGenericArguments()[0];
        }

        ProgramTolerance.Elementwise tolerance = ProgramOperation.ToleranceOf(innermost);
        return Math.Abs((double)expected - found)
            <= (isSlope ? tolerance.OfSlope(expected, operands[0], hasGradient ? operands[^1] : 1f) : tolerance.OfValue(expected, operands[0]));
    }

    /// <summary>The operands of output i: the first one changes fastest.</summary>
    private static float[] Arguments(int i, int operands)
    {
        List<float> arguments = [];
        for (int operand = 0; operand < operands; operand++)
        {
            arguments.Add(Values[i % Values.Length]);
            i /= Values.Length;
        }

        return [.. arguments];
    }

    private static float[] RunUnary<TOp>(Backend backend, TOp op)
        where TOp : unmanaged, IUnaryOp
    {
        Storage y = backend.Allocate(Values.Length);
        backend.Map(op, GpuFixture.Upload(backend, Values), y);
        return GpuFixture.Download(y);
    }

    private static float[] RunBinary<TOp>(Backend backend, TOp op)
        where TOp : unmanaged, IBinaryOp
    {
        Storage y = backend.Allocate(Values.Length * Values.Length);
        backend.Zip(op, Operand(backend, 1), Operand(backend, Values.Length), y);
        return GpuFixture.Download(y);
    }

    private static float[] RunTernary<TOp>(Backend backend, TOp op)
        where TOp : unmanaged, ITernaryOp
    {
        Storage y = backend.Allocate(Values.Length * Values.Length * Values.Length);
        int square = Values.Length * Values.Length;
        backend.Combine(op, Operand(backend, 1), Operand(backend, Values.Length), Operand(backend, square), y);
        return GpuFixture.Download(y);
    }

    private static Operand Operand(Backend backend, int repeat) =>
        new(GpuFixture.Upload(backend, Values), Values.Length, repeat);

    [Fact]
    public void Every_formula_has_a_tolerance_and_transcendental_functions_four_units()
    {
        Type[] formulas = [.. new[] { typeof(IUnaryOp), typeof(IBinaryOp), typeof(ITernaryOp) }
            .SelectMany(FormulaTypes.Implementing).Where(formula => !formula.IsGenericType)];
        Assert.All(formulas, formula => Assert.NotEmpty(ProgramOperation.ToleranceOf(formula).Reason));
        Type[] functions =
        [
            typeof(Exponential), typeof(ExponentialMinusOne), typeof(Logarithm), typeof(LogarithmOfOnePlus), typeof(HyperbolicTangent),
            typeof(LogisticSigmoid), typeof(SoftRectifier), typeof(ErrorFunction), typeof(Sine), typeof(Cosine), typeof(Power),
        ];
        Assert.All(functions, function => Assert.Equal(4, ProgramOperation.ToleranceOf(function).Value));
        Assert.Throws<InvalidOperationException>(() => ProgramOperation.ToleranceOf(typeof(string)));
    }
}
