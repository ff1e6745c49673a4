using System.Reflection;
using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Holds every formula, and the derivative of every formula, against the CPU at ordinary numbers, zeros, infinities and
/// NaN. On a real device or PoCL this is what finds miscompiled kernels.
/// </summary>
public sealed class FormulaTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const float Tolerance = 2e-5f;

    private static readonly float[] Values =
    [
        0f, -0f, 0.3f, -0.3f, 1f, -1f, 2.5f, -7f, 12f, 30f,
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
                .Where(i => !AreClose(expected[i], found[i]))
                .Take(3)
                .Select(i => $"{formula}({Arguments(i, operands)}): {found[i]:R}, on the CPU {expected[i]:R}"));
        }

        Assert.True(differences.Count == 0, string.Join(Environment.NewLine, differences));
    }

    private static bool AreClose(float expected, float found) =>
        expected.Equals(found)
        || expected == found
        || MathF.Abs(expected - found) <= Tolerance * MathF.Max(1f, MathF.Abs(expected));

    /// <summary>The operands of output i: the first one changes fastest.</summary>
    private static string Arguments(int i, int operands)
    {
        List<float> arguments = [];
        for (int operand = 0; operand < operands; operand++)
        {
            arguments.Add(Values[i % Values.Length]);
            i /= Values.Length;
        }

        return string.Join(", ", arguments);
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
}
