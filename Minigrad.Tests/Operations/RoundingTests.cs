using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Operations;

/// <summary>Rounding to half precision, in lanes and as a scalar, to the bit: against the platform's Half, and against bits for bfloat16.</summary>
public sealed class RoundingTests
{
    /// <summary>Every half, the number in the middle to its neighbour, and the float32 on either side of that.</summary>
    internal static float[] AllHalvesAndMidpoints =>
    [
        .. Enumerable.Range(0, 1 << 16).Select(bits => (float)Unsafe.BitCast<ushort, Half>((ushort)bits))
            .SelectMany(half => Around(half, (half + (float)Half.BitIncrement((Half)half)) / 2)),
        65519.996f, 65520f, -65519.996f, -65520f,
    ];

    /// <summary>Every bfloat16, the number in the middle to its neighbour, and the float32 on either side of that.</summary>
    internal static float[] AllBFloatsAndMidpoints =>
        [.. Enumerable.Range(0, 1 << 16).SelectMany(bits => Around(Float((uint)bits << 16), Float(((uint)bits << 16) | 0x8000)))];

    [Fact]
    public void Every_half_is_kept_and_every_midpoint_goes_to_the_even_one() =>
        Check(default(RoundToHalf), AllHalvesAndMidpoints, x => (float)(Half)x);

    [Fact]
    public void Every_bfloat16_is_kept_and_every_midpoint_goes_to_the_even_one() =>
        Check(default(RoundToBFloat16), AllBFloatsAndMidpoints, ByBits);

    [Fact]
    public void Float32_numbers_of_every_size_are_rounded()
    {
        float[] values = [.. Enumerable.Range(0, (int)(uint.MaxValue / 20011)).Select(i => Float((uint)i * 20011u))];
        Check(default(RoundToHalf), values, x => (float)(Half)x);
        Check(default(RoundToBFloat16), values, ByBits);
    }

    [Fact]
    public void The_slope_is_1_where_nothing_overflows()
    {
        float[] inRange = [0f, -0f, 1e-9f, -1e-5f, 0.1f, -3f, 65504f, -65519f];
        float[] beyond = [65520f, -1e30f];
        Assert.All(inRange, x => Assert.Equal(1f, new Slope<RoundToHalf>(default).Forward<Scalar>(x).Value));
        Assert.All(beyond, x => Assert.Equal(0f, new Slope<RoundToHalf>(default).Forward<Scalar>(x).Value));
        Assert.All(
            [.. inRange, .. beyond, 3e38f], x => Assert.Equal(1f, new Slope<RoundToBFloat16>(default).Forward<Scalar>(x).Value));
    }

    internal static float ByBits(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? x : Float((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
    }

    private static float Float(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static float[] Around(float value, float middle) =>
        [value, middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)];

    private static void Check<TRounding>(TRounding rounding, float[] values, Func<float, float> reference)
        where TRounding : unmanaged, IRounding
    {
        float[] inLanes = Tensor.Of(values).Map(rounding).ToArray();
        List<string> faults = [];
        for (int i = 0; i < values.Length; i++)
        {
            float expected = reference(values[i]);
            if (!Same(expected, inLanes[i]) || !Same(expected, rounding.Forward(new Scalar(values[i])).Value))
            {
                faults.Add($"{values[i]:R} was rounded to {inLanes[i]:R} in place of {expected:R}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults: {string.Join(", ", faults.Take(5))}");
    }

    /// <summary>To the bit, so that the sign of 0 counts; of NaN the payload does not.</summary>
    private static bool Same(float expected, float actual) => float.IsNaN(expected)
        ? float.IsNaN(actual)
        : BitConverter.SingleToUInt32Bits(expected) == BitConverter.SingleToUInt32Bits(actual);
}
