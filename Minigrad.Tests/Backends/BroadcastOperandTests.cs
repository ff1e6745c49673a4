using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>Elementwise loops over broadcast operands, held against the definition of <see cref="Operand"/>, one output after the other.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class BroadcastOperandTests
{
    /// <summary>Around vectors, the chunks that are copied, and the runs that are not.</summary>
    private static readonly Gen<int> Size = Gen.Frequency(
        (2, Gen.Const(1)), (4, Gen.Int[2, 40]), (2, Gen.Int[41, 300]), (1, Gen.Int[255, 257]), (1, Gen.Int[1000, 1050]));

    /// <summary>An output of three dimensions, none so long that the whole is.</summary>
    private static readonly Gen<int[]> Outputs = Size.Array[3].Where(sizes => sizes.Aggregate(1L, (product, size) => product * size) < 100_000);

    /// <summary>Which dimensions an operand has: neighbours, or none, as the seam asks.</summary>
    private static readonly Gen<(int First, int Count)> Dimensions =
        Gen.OneOfConst((0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1));

    [Fact]
    public void Two_operands_are_read_where_they_say() => Gen.Select(Outputs, Dimensions, Dimensions, Gen.Int[1, 3]).Sample(
        (sizes, first, second, threads) =>
        {
            (Operand a, Operand b) = (Make(sizes, first, 1), Make(sizes, second, 2));
            float[] y = new float[sizes[0] * sizes[1] * sizes[2]];
            ElementwiseLoops.Zip(new Workers { ThreadCount = threads }, default(Subtract), a, b, y, y.Length);
            Assert.Equal(Enumerable.Range(0, y.Length).Select(output => At(a, output) - At(b, output)), y);
        },
        iter: 300,
        threads: 1);

    [Fact]
    public void Three_operands_are_read_where_they_say() => Gen.Select(Outputs, Dimensions.Array[3], Gen.Int[1, 3]).Sample(
        (sizes, dimensions, threads) =>
        {
            Operand[] operands = [.. dimensions.Select((those, seed) => Make(sizes, those, seed))];
            float[] y = new float[sizes[0] * sizes[1] * sizes[2]];
            ElementwiseLoops.Combine(new Workers { ThreadCount = threads }, default(Where), operands[0], operands[1], operands[2], y, y.Length);
            Assert.Equal(
                Enumerable.Range(0, y.Length).Select(output => At(operands[0], output) != 0f ? At(operands[1], output) : At(operands[2], output)), y);
        },
        iter: 300,
        threads: 1);

    private static Operand Make(int[] sizes, (int First, int Count) dimensions, int seed)
    {
        int period = sizes.Skip(dimensions.First).Take(dimensions.Count).Aggregate(1, (product, size) => product * size);
        int repeat = sizes.Skip(dimensions.First + dimensions.Count).Aggregate(1, (product, size) => product * size);
        float[] numbers = [.. Enumerable.Range(0, period).Select(place => ((place + seed) * 7919 % 11) - 5f)];
        return new Operand(new CpuStorage(CpuBackend.Instance, numbers, period), period, period == 1 ? 1 : repeat);
    }

    private static float At(Operand operand, int output) => ((CpuStorage)operand.Storage).Array[output / operand.Repeat % operand.Period];
}
