using System.Globalization;
using CsCheck;
using Minigrad.Gpu;
using Minigrad.Numerics;
using Xunit.Sdk;
using static Minigrad.Tests.Gpu.ProgramTolerance;

namespace Minigrad.Tests.Gpu;

/// <summary>
/// Random programs of operations on the CPU and on the device: forward, and backward from a random gradient. Each operation
/// gets the same operands on both, the CPU's results so far, so that a tolerance is one operation's and stays sharp.
/// </summary>
public sealed class RandomProgramTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Larger numbers are cut to this between operations, so that no finite sum overflows: then its order would matter.</summary>
    private const float Largest = 1e12f;

    private static readonly float[] Awkward =
    [
        float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f, float.Epsilon, -float.Epsilon, 1e-39f, -1e-39f,
        1.17549435e-38f, 1e-30f, -1e-20f, Largest, -Largest, 1f, -1f, 0.5f, 88f, -104f,
    ];

    private static Gen<Program> Programs(int largest) => Gen.Select(
        Gen.Int[0, largest],
        Gen.Int[0, largest],
        Gen.ULong,
        Gen.Select(Gen.Int[0, ProgramOperation.All.Count - 1], Gen.Int[0, 1 << 20], Gen.ULong, (operation, number, seed) => new Step(operation, number, seed))
            .Array[1, 8],
        (rows, columns, seed, steps) => new Program(rows, columns, seed, steps));

    private GpuBackend Gpu => fixture.Backend;

    /// <summary>The CPU accelerator needs half a millisecond for each launch, so there it is a small share of small programs.</summary>
    private bool IsEmulated => Gpu.Device.Kind == GpuDeviceKind.CpuAccelerator;

    /// <summary>The same programs on every run; the environment variable MINIGRAD_TEST_PROGRAMS numbers others.</summary>
    [Fact]
    public void Programs_agree_with_the_CPU()
    {
        Gen<Program> programs = Programs(largest: IsEmulated ? 9 : 40);
        ulong series = ulong.Parse(Environment.GetEnvironmentVariable("MINIGRAD_TEST_PROGRAMS") ?? "1", CultureInfo.InvariantCulture);
        int count = IsEmulated ? 200 : 10_000;
        PCG random = new(1, series);
        for (int i = 0; i < count; i++)
        {
            Program program = programs.Generate(random, null, out _);
            try
            {
                Run(program);
            }
            catch (XunitException exception)
            {
                throw new XunitException($"Program {i} of series {series}, {program}: {exception.Message}", exception);
            }
        }
    }

    [Fact]
    public void Every_operation_agrees_with_the_CPU_at_every_edge()
    {
        int[] sizes = IsEmulated ? [0, 1, 3] : [0, 1, 2, 7, 16, 17, 33];
        for (int operation = 0; operation < ProgramOperation.All.Count; operation++)
        {
            foreach (int rows in sizes)
            {
                foreach (int columns in sizes)
                {
                    Run(new Program(rows, columns, (ulong)((rows * 64) + columns), [new Step(operation, (rows * 5) + columns, 1)]));
                }
            }
        }
    }

    private static Tensor Values(ulong seed, params int[] shape)
    {
        // Three of ten tensors have awkward numbers; in the others nothing would survive a sum.
        bool isAwkward = seed % 10 < 3;
        float[] values = new float[shape.Aggregate(1, (product, dimension) => product * dimension)];
        for (int i = 0; i < values.Length; i++)
        {
            Philox.Uniform(seed, 7, (ulong)i, out float u, out float v);
            values[i] = isAwkward && v < 0.1f ? Awkward[(int)(u * Awkward.Length)] : (8f * u) - 4f;
        }

        return Tensor.Of(values, shape);
    }

    private static Tensor Bounded(Tensor tensor) => Tensor.Of(
        Array.ConvertAll(tensor.Detach().ToArray(), value => float.IsFinite(value) ? Math.Clamp(value, -Largest, Largest) : value),
        [.. tensor.Shape.Dimensions]);

    private void Run(Program program)
    {
        Tensor current = Values(program.Seed, program.Rows, program.Columns);
        foreach (Step step in program.Steps)
        {
            ProgramOperation operation = ProgramOperation.All[step.Operation];
            int[][] shapes = operation.Shapes(current.Shape[0], current.Shape[1], step.Number);
            Tensor[] operands = [current, .. shapes.Select((shape, i) => Values(step.Seed + (ulong)i, shape))];
            Tensor y = Compare(operation, step, operands);
            float[] values = y.ToArray();
            bool isUseful = y.Length == 0 || values.Count(float.IsNaN) < values.Length / 2.0;
            current = isUseful && y.Shape[0] <= 40 && y.Shape[1] <= 40 ? Bounded(y) : Values(step.Seed + 99, 5, 6);
        }
    }

    /// <summary>Runs an operation and its backward on both, and compares.</summary>
    /// <returns>The CPU's result.</returns>
    private Tensor Compare(ProgramOperation operation, Step step, Tensor[] operands)
    {
        // An elementwise operation is compared element by element, so its operands are repeated to the common shape by hand
        // first; what broadcasting adds in backward, a sum, is compared with the operands as they are.
        Tensor y = operation.Compute(operands, step.Number).Detach();
        Tensor gradient = Values(step.Seed + 50, [.. y.Shape.Dimensions]);
        if (operation.Tolerance is ProgramTolerance.Elementwise elementwise)
        {
            Tensor[] whole = [.. operands.Select(operand => operand.Expand([.. y.Shape.Dimensions]).Detach())];
            float[][] expected = Outcome(operation, step, whole, gradient);
            float[][] allowed = Elementwise(elementwise, expected, whole[0].ToArray(), gradient.ToArray());
            Check(operation, step, operands, "element", expected, Outcome(operation, step, OnGpu(whole), gradient.To(Gpu)), allowed);
            if (operands.Any(operand => !operand.Shape.Equals(y.Shape)))
            {
                float[][] sums = [allowed[0], .. operands.Select((operand, i) => SumOfErrors(operand, y.Shape, expected[i + 1], allowed[i + 1]))];
                Check(
                    operation,
                    step,
                    operands,
                    "broadcast",
                    Outcome(operation, step, operands, gradient),
                    Outcome(operation, step, OnGpu(operands), gradient.To(Gpu)),
                    sums);
            }

            return y;
        }

        float[][] onCpu = Outcome(operation, step, operands, gradient);
        float[][] tolerated = operation.Tolerance switch
        {
            ProgramTolerance.Sum sum => Sums(operation, step, operands, gradient, sum.Terms(operands)),
            ProgramTolerance.Conditioned conditioned => Conditioned(operation, step, operands, gradient, onCpu, conditioned),
            _ => Array.ConvertAll(onCpu, part => new float[part.Length]),
        };
        Check(operation, step, operands, "result", onCpu, Outcome(operation, step, OnGpu(operands), gradient.To(Gpu)), tolerated);
        return y;
    }

    private Tensor[] OnGpu(Tensor[] operands) => Array.ConvertAll(operands, operand => operand.To(Gpu));

    /// <summary>The result, and the gradient of each operand.</summary>
    private static float[][] Outcome(ProgramOperation operation, Step step, Tensor[] operands, Tensor gradient)
    {
        Tensor[] leaves = Array.ConvertAll(operands, operand => operand.Detach().WithGradient());
        Tensor y = operation.Compute(leaves, step.Number);
        return [y.ToArray(), .. Tensor.Gradients(y, leaves, gradient).Select(found => found.ToArray())];
    }

    private static float[][] Elementwise(ProgramTolerance.Elementwise tolerance, float[][] expected, float[] first, float[] gradient) =>
        [.. expected.Select((part, number) => Enumerable.Range(0, part.Length)
            .Select(i => number == 0 ? tolerance.OfValue(part[i], first[i]) : tolerance.OfSlope(part[i], first[i], gradient[i]))
            .Select(allowed => (float)allowed).ToArray())];

    /// <summary>The errors of what broadcasting adds up, and those of adding it.</summary>
    private static float[] SumOfErrors(Tensor operand, Shape shape, float[] terms, float[] allowed)
    {
        double count = Math.Max(1.0, (double)shape.Size / Math.Max(1, operand.Length));
        Tensor errors = Tensor.Of(
            [.. terms.Select((term, i) => (float)(allowed[i] + (count > 1 ? 2 * count * HalfUnit * Finite(term) : 0)))], [.. shape.Dimensions]);
        return Tensor.Gradients(operand.Detach().WithGradient() is var leaf ? leaf.Expand([.. shape.Dimensions]) : leaf, [leaf], errors)[0].ToArray();
    }

    /// <summary>The operation over magnitudes, which is the sum of the terms' magnitudes.</summary>
    private static float[][] Sums(ProgramOperation operation, Step step, Tensor[] operands, Tensor gradient, int terms)
    {
        static Tensor Magnitudes(Tensor tensor) => Tensor.Of(Array.ConvertAll(tensor.ToArray(), value => (float)Finite(value)), [.. tensor.Shape.Dimensions]);
        return [.. Outcome(operation, step, Array.ConvertAll(operands, Magnitudes), Magnitudes(gradient))
            .Select(part => Array.ConvertAll(part, value => (float)((2 * terms * HalfUnit * value) + float.Epsilon)))];
    }

    /// <summary>Eight times what operands that are up to 4 units off change, at most, in six trials.</summary>
    private static float[][] Conditioned(
        ProgramOperation operation, Step step, Tensor[] operands, Tensor gradient, float[][] expected, ProgramTolerance.Conditioned tolerance)
    {
        float[][] allowed = [.. expected.Select(part => Array.ConvertAll(part, value => (float)(tolerance.Units * Unit(value))))];
        if (tolerance.Terms is { } termsOf)
        {
            Tensor[] terms = termsOf(operands, Tensor.Of(expected[0], [.. gradient.Shape.Dimensions]), gradient, step.Number);
            for (int part = 0; part < terms.Length; part++)
            {
                float[] magnitudes = terms[part].ToArray();
                allowed[part] = [.. allowed[part].Select((already, i) => already + (float)(8 * HalfUnit * Finite(magnitudes[i])))];
            }
        }

        // A gradient that is finite for a smaller one coming in has overflowed on the way. Where to depends on the order, as it
        // does where infinities meet in a sum.
        bool hasInfinity = gradient.ToArray().Any(value => !float.IsFinite(value));
        float[][] smaller = Outcome(operation, step, operands, gradient * (float)Math.ScaleB(1, -40));
        for (int part = 1; part < expected.Length; part++)
        {
            allowed[part] = [.. allowed[part].Select((already, i) =>
                !float.IsFinite(expected[part][i]) && (hasInfinity || float.IsFinite(smaller[part][i])) ? float.PositiveInfinity : already)];
        }

        for (ulong trial = 0; trial < 6; trial++)
        {
            Tensor Moved(Tensor tensor, int number) => Tensor.Of(
                [.. tensor.ToArray().Select((value, i) =>
                {
                    Philox.Uniform(trial, (ulong)number, (ulong)i, out float u, out _);
                    return (float)(value * (1 + (((16 * (double)u) - 8) * HalfUnit)));
                })],
                [.. tensor.Shape.Dimensions]);
            float[][] moved = Outcome(operation, step, [.. operands.Select(Moved)], Moved(gradient, operands.Length));
            for (int part = 0; part < expected.Length; part++)
            {
                for (int i = 0; i < expected[part].Length; i++)
                {
                    // Which infinity a rounding error makes of an infinite factor, or NaN, is no one's to say.
                    float change = MathF.Abs(moved[part][i] - expected[part][i]);
                    bool isOfOneKind = float.IsFinite(expected[part][i]) ? float.IsFinite(moved[part][i]) : expected[part][i].Equals(moved[part][i]);
                    allowed[part][i] = isOfOneKind
                        ? MathF.Max(allowed[part][i], float.IsFinite(change) ? 8 * change : 0f)
                        : float.PositiveInfinity;
                }
            }
        }

        return allowed;
    }

    private static void Check(
        ProgramOperation operation, Step step, Tensor[] operands, string what, float[][] expected, float[][] found, float[][] allowed)
    {
        for (int part = 0; part < expected.Length; part++)
        {
            for (int i = 0; i < expected[part].Length; i++)
            {
                float wanted = expected[part][i];
                float have = found[part][i];
                if (BitConverter.SingleToInt32Bits(wanted) == BitConverter.SingleToInt32Bits(have)
                    || (float.IsNaN(wanted) && float.IsNaN(have))
                    || Math.Abs((double)wanted - have) <= allowed[part][i])
                {
                    continue;
                }

                // At the end of the range one side may round to infinity.
                bool isAtTheEnd = MathF.Abs(wanted) > 3.4e38f && MathF.Abs(have) > 3.4e38f && MathF.Sign(wanted) == MathF.Sign(have);
                Assert.True(
                    isAtTheEnd || float.IsPositiveInfinity(allowed[part][i]),
                    $"{operation.Name} (number {step.Number}) of {string.Join(", ", operands.Select(operand => operand.Shape))}, {what}: "
                    + $"{(part == 0 ? "the value" : $"the gradient of operand {part - 1}")} at {i} is {have:R} on the device and {wanted:R} on the CPU, "
                    + $"{Math.Abs((double)wanted - have):g3} apart where {allowed[part][i]:g3} is allowed: {operation.Tolerance.Reason}. "
                    + $"Operands there: {string.Join(", ", operands.Select(operand => operand.Length == expected[part].Length ? $"{operand.ToArray()[i]:R}" : "…"))}");
            }
        }
    }

    /// <summary>An operation of <see cref="ProgramOperation.All"/>, a number that it makes its choices from, and a seed of its operands.</summary>
    private sealed record Step(int Operation, int Number, ulong Seed)
    {
        public override string ToString() => $"{ProgramOperation.All[Operation].Name} ({Number}, {Seed})";
    }

    private sealed record Program(int Rows, int Columns, ulong Seed, Step[] Steps)
    {
        public override string ToString() => $"[{Rows}, {Columns}] of seed {Seed}: {string.Join("; ", (object[])Steps)}";
    }
}
