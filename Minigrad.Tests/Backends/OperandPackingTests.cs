using CsCheck;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Packed operands, held against one number after the other.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class OperandPackingTests
{
    /// <summary>Depths go past the end of a block, by which a strip is transposed.</summary>
    private static readonly Gen<(int Lines, int Depth, int SourceStep, int Width)> Strips =
        from lines in Gen.Int[1, 33]
        from depth in Gen.OneOf(Gen.Int[1, 40], Gen.Int[41, 700])
        from apart in Gen.Int[0, 3]
        from between in Gen.Int[0, 3]
        select (lines, depth, depth + apart, lines + between);

    [Fact]
    public void Transposing_puts_each_number_in_its_place_and_leaves_what_is_between_lines() => Strips.Sample(
        strip =>
        {
            (int lines, int depth, int sourceStep, int width) = strip;
            float[] source = [.. Enumerable.Range(1, ((lines - 1) * sourceStep) + depth).Select(i => (float)i)];
            float[] expected = new float[((depth - 1) * width) + lines];
            float[] packed = new float[expected.Length];
            for (int k = 0; k < depth; k++)
            {
                for (int line = 0; line < lines; line++)
                {
                    expected[(k * width) + line] = source[(line * sourceStep) + k];
                }
            }

            OperandPacking.Transpose(source, sourceStep, lines, depth, packed, width);
            Assert.Equal(expected, packed);
        },
        iter: 500);
}
