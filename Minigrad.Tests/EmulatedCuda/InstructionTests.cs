using System.Text.RegularExpressions;
using CsCheck;
using Minigrad.EmulatedCuda;
using Minigrad.Tests.Gpu;

namespace Minigrad.Tests.EmulatedCuda;

/// <summary>Instructions at the operands where PTX's specification and C# part, or where a compiler may go wrong.</summary>
public sealed class InstructionTests
{
    private const uint NaN = 0x7FC00000;
    private const uint One = 0x3F800000;
    private const uint Two = 0x40000000;
    private const uint MinusOne = 0xBF800000;
    private const uint MinusZero = 0x80000000;
    private const uint Infinity = 0x7F800000;

    [Theory]
    [InlineData("add.f32", One, One, Two)]
    [InlineData("sub.f32", One, Two, MinusOne)]
    [InlineData("mul.f32", Two, MinusZero, MinusZero)]
    [InlineData("div.rn.f32", One, 0, Infinity)]
    [InlineData("add.f32", 1, 1, 2)] // Subnormal numbers are kept.
    [InlineData("min.f32", NaN, One, One)]
    [InlineData("max.f32", One, NaN, One)]
    [InlineData("min.f32", 0, MinusZero, MinusZero)]
    [InlineData("max.f32", MinusZero, 0, 0)]
    [InlineData("copysign.f32", MinusOne, Two, 0xC0000000)] // The sign of the first.
    [InlineData("add.s32", 0x7FFFFFFF, 1, 0x80000000)]
    [InlineData("mul.lo.s32", 0x80000001, 3, 0x80000003)]
    [InlineData("mul.hi.s32", 0xFFFFFFFF, 2, 0xFFFFFFFF)]
    [InlineData("mul.hi.u32", 0xFFFFFFFF, 2, 1)]
    [InlineData("div.s32", 0xFFFFFFF9, 2, 0xFFFFFFFD)] // −7 / 2 = −3.
    [InlineData("rem.s32", 0xFFFFFFF9, 2, 0xFFFFFFFF)]
    [InlineData("div.s32", 0x80000000, 0xFFFFFFFF, 0x80000000)]
    [InlineData("rem.s32", 0x80000000, 0xFFFFFFFF, 0)]
    [InlineData("div.u32", 0xFFFFFFF9, 2, 0x7FFFFFFC)]
    [InlineData("shl.b32", 1, 32, 0)] // C# would shift by 0.
    [InlineData("shr.s32", 0xFFFFFFF8, 1, 0xFFFFFFFC)]
    [InlineData("shr.s32", 0xFFFFFFF8, 40, 0xFFFFFFFF)]
    [InlineData("shr.u32", 0xFFFFFFF8, 40, 0)]
    [InlineData("and.b32", 12, 10, 8)]
    [InlineData("or.b32", 12, 10, 14)]
    [InlineData("xor.b32", 12, 10, 6)]
    public void Two_operands(string name, uint a, uint b, uint expected) =>
        Assert.Equal(expected, Compute($"{name}\t%r3, %r1, %r2;", a, b));

    [Theory]
    [InlineData("neg.f32", 0, MinusZero)]
    [InlineData("abs.f32", MinusZero, 0)]
    [InlineData("sqrt.rn.f32", 0x40800000, Two)]
    [InlineData("sqrt.rn.f32", MinusZero, MinusZero)]
    [InlineData("rcp.rn.f32", Two, 0x3F000000)]
    [InlineData("cvt.rmi.f32.f32", 0xBF000000, MinusOne)] // ⌊−0.5⌋.
    [InlineData("cvt.rpi.f32.f32", 0xBF000000, MinusZero)]
    [InlineData("cvt.rzi.s32.f32", 0xC0200000, 0xFFFFFFFE)] // −2.5 becomes −2.
    [InlineData("cvt.rzi.s32.f32", NaN, 0)]
    [InlineData("cvt.rzi.s32.f32", Infinity, 0x7FFFFFFF)]
    [InlineData("cvt.rzi.u32.f32", MinusOne, 0)]
    [InlineData("cvt.rn.f32.s32", 0x01000001, 0x4B800000)] // 2²⁴ + 1 is rounded to even.
    [InlineData("cvt.rn.f32.u32", 0xFFFFFFFF, 0x4F800000)]
    [InlineData("cvt.s32.s8", 0x80, 0xFFFFFF80)]
    [InlineData("cvt.u32.u8", 0x1FF, 0xFF)]
    [InlineData("neg.s32", 0x80000000, 0x80000000)]
    [InlineData("abs.s32", 0xFFFFFFFB, 5)]
    [InlineData("not.b32", 0xFFFFFFF0, 15)]
    [InlineData("popc.b32", 0xF0F0, 8)]
    [InlineData("clz.b32", 1, 31)]
    [InlineData("clz.b32", 0, 32)]
    public void One_operand(string name, uint a, uint expected) =>
        Assert.Equal(expected, Compute($"{name}\t%r3, %r1;", a, 0));

    [Theory]
    [InlineData("lt.f32", true, false, false, false)]
    [InlineData("le.f32", true, true, false, false)]
    [InlineData("gt.f32", false, false, true, false)]
    [InlineData("ge.f32", false, true, true, false)]
    [InlineData("eq.f32", false, true, false, false)]
    [InlineData("ne.f32", true, false, true, false)] // False of NaN, unlike C#'s.
    [InlineData("ltu.f32", true, false, false, true)]
    [InlineData("leu.f32", true, true, false, true)]
    [InlineData("gtu.f32", false, false, true, true)]
    [InlineData("geu.f32", false, true, true, true)]
    [InlineData("equ.f32", false, true, false, true)]
    [InlineData("neu.f32", true, false, true, true)]
    public void Comparisons(string name, bool ofLess, bool ofEqual, bool ofGreater, bool ofNaN)
    {
        string instructions = $"setp.{name}\t%p1, %r1, %r2;\nselp.b32\t%r3, 1, 0, %p1;";
        Assert.Equal(
            (ofLess, ofEqual, ofGreater, ofNaN, ofNaN),
            (Is(MinusOne, One), Is(One, One), Is(One, MinusZero), Is(NaN, One), Is(One, NaN)));

        bool Is(uint a, uint b) => Compute(instructions, a, b) == 1;
    }

    [Theory]
    [InlineData("lt.s32", 1u)]
    [InlineData("lo.u32", 0u)]
    [InlineData("hi.u32", 1u)]
    [InlineData("ge.s32", 0u)]
    public void A_comparison_of_integers_minds_the_sign(string name, uint expected) =>
        Assert.Equal(expected, Compute($"setp.{name}\t%p1, %r1, %r2;\nselp.b32\t%r3, 1, 0, %p1;", 0xFFFFFFFF, 1));

    [Fact]
    public void A_fused_product_and_sum_is_rounded_once()
    {
        // (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴, which the product alone has lost.
        const float small = 1f / 4096;
        uint x = BitConverter.SingleToUInt32Bits(1f + small);
        uint y = BitConverter.SingleToUInt32Bits(-(1f + (2 * small)));
        Assert.Equal(BitConverter.SingleToUInt32Bits(small * small), Compute("fma.rn.f32\t%r3, %r1, %r1, %r2;", x, y));
        Assert.Equal(0u, Compute("mul.f32\t%r4, %r1, %r1;\nadd.f32\t%r3, %r4, %r2;", x, y));
    }

    [Fact]
    public void Wide_numbers_have_64_bits()
    {
        Assert.Equal(0xFFFFFFFE, Compute("mul.wide.u32\t%rd5, %r1, %r2;\nshr.u64\t%rd6, %rd5, 32;\ncvt.u32.u64\t%r3, %rd6;", 0xFFFFFFFF, 0xFFFFFFFF));
        Assert.Equal(0u, Compute("mul.wide.s32\t%rd5, %r1, %r2;\nshr.s64\t%rd6, %rd5, 32;\ncvt.u32.s64\t%r3, %rd6;", 0xFFFFFFFF, 0xFFFFFFFF));
        Assert.Equal(
            BitConverter.SingleToUInt32Bits(1f / 3),
            Compute("cvt.f64.f32\t%fd1, %r1;\ncvt.f64.f32\t%fd2, %r2;\ndiv.rn.f64\t%fd3, %fd1, %fd2;\ncvt.rn.f32.f64\t%r3, %fd3;", One, 0x40400000));
    }

    [Fact]
    public void A_predicate_decides_and_a_table_branches()
    {
        const string instructions = """
            setp.eq.s32	%p1, %r1, 7;
            mov.b32	%r3, 1;
            @%p1 mov.b32	%r3, 2;
            @!%p1 bra	Table;
            bra	End;
            Table:
            Targets:
            .branchtargets Zero, One;
            brx.idx	%r1, Targets;
            Zero:
            mov.b32	%r3, 10;
            bra	End;
            One:
            mov.b32	%r3, 11;
            End:
            """;
        Assert.Equal([2u, 10u, 11u], [Compute(instructions, 7, 0), Compute(instructions, 0, 0), Compute(instructions, 1, 0)]);
    }

    [Theory]
    [InlineData("ex2.approx.f32\t%r3, %r1;", "an instruction that is not known")]
    [InlineData("atom.add.f32\t%r3, [%rd0], %r1;", "an instruction that is not known")]
    [InlineData("add.f32\t%r3, %r1;", "an instruction that is not known")]
    [InlineData("add.f32\t%r3, %r1, elsewhere;", "an operand that is not known")]
    [InlineData("add.f32\t3, %r1, %r2;", "no register")]
    [InlineData("add.f32\t%r3, %r1, %r2", "without its end")]
    [InlineData("add.f32\t%r3, %r1, 0fXYZ;", "a number that is not known")]
    [InlineData("bra\tnowhere;", "a use of the label nowhere, which is not there, for this reader: bra")]
    [InlineData("bra;", "less than must be there")]
    [InlineData("brx.idx\t%r1, nothing;", "a use of the table nothing, which is not there")]
    [InlineData("ld.param.b32\t%r3, [nothing];", "a use of the argument nothing, which is not there")]
    [InlineData("ld.global.b32\t%r3;", "less than must be there")]
    [InlineData("ld.global.b33\t%r3, [%rd0];", "a type that is not known")]
    [InlineData(".shared .b8 held[4];", "less than must be there")]
    [InlineData(".shared .align 3 .b8 held[4];", "an alignment that is not known")]
    [InlineData("ld.const.b32\t%r3, [%rd0];", "an access that is not known")]
    [InlineData("ld.v2.b32\t%r3, [%rd0];", "another number of registers")]
    [InlineData("bar.arrive\t0, 32;", "a barrier that is not known")]
    public void What_is_not_known_is_refused(string instructions, string message)
    {
        PtxException exception = Assert.Throws<PtxException>(() => Compute(instructions, 0, 0));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_without_a_kernel_is_refused() => Assert.Throws<PtxException>(() => PtxReader.Read(".version 8.4"));

    /// <summary>A part of a line that is missing, double, or another's makes a text of another kernel, or one that is refused in words.</summary>
    [Fact]
    public void A_damaged_text_is_read_or_refused_in_words()
    {
        string[] texts =
        [
            KernelText.Ptx(typeof(GuideKernels).GetMethod(nameof(GuideKernels.Reverse))!),
            KernelText.Ptx(typeof(PlantedFaults).GetMethod(nameof(PlantedFaults.ArrayInLocalMemory))!),
        ];
        Gen.Select(Gen.OneOfConst(texts), Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 3]).Sample((text, at, other, kind) =>
        {
            List<string> parts = [.. Regex.Split(text, @"(?<=[\s,;.+\[\]{}()@%:])|(?=[\s,;.+\[\]{}()@%:])")];
            (at, other) = (at % parts.Count, other % parts.Count);
            switch (kind)
            {
                case 0:
                    parts.RemoveAt(at);
                    break;
                case 1:
                    parts[at] = parts[other];
                    break;
                case 2:
                    parts.Insert(at, parts[other]);
                    break;
                default:
                    parts.RemoveRange(at, parts.Count - at);
                    break;
            }

            try
            {
                PtxReader.Read(string.Concat(parts));
            }
            catch (PtxException exception)
            {
                Assert.NotEmpty(exception.Message);
            }
        },
        iter: 2_000);
    }

    /// <summary>What is in %r3 afterwards.</summary>
    private static uint Compute(string instructions, uint a, uint b)
    {
        uint[] operands = [a, b];
        uint[] result = [0];
        EmulatedKernel.Run(
            $"ld.global.b32\t%r1, [%rd0];\nld.global.b32\t%r2, [%rd0+4];\n{instructions}\nst.global.b32\t[%rd1], %r3;", 1, 1, operands, result);
        return result[0];
    }
}
