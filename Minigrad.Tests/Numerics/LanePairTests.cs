using System.Runtime.Intrinsics;
using Minigrad.Numerics;

namespace Minigrad.Tests.Numerics;

/// <summary>Two numbers in the room of one, at every width that the machine has.</summary>
public sealed class LanePairTests
{
    /// <summary>The upper halves of float32, which are bfloat16, and what is left of it without three bits of the exponent.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void All_16_bits_come_back_from_either_place(int spare)
    {
        Check<Lanes128>(spare, isFast: Vector128.IsHardwareAccelerated);
        Check<Lanes256>(spare, isFast: Vector256.IsHardwareAccelerated);
        Check<Lanes512>(spare, isFast: Vector512.IsHardwareAccelerated);
    }

    private static void Check<TLanes>(int spare, bool isFast)
        where TLanes : struct, ILanes<TLanes>
    {
        if (!isFast)
        {
            return;
        }

        uint Placed(uint bits) => ((bits & 0x8000) << 16) | ((bits & 0x7FFF) << (16 - spare));
        uint leftOut = ~Placed(0xFFFF);
        uint[] low = new uint[TLanes.Count], high = new uint[TLanes.Count];
        for (uint bits = 0; bits < 0x10000; bits++)
        {
            int lane = (int)bits % TLanes.Count;
            low[lane] = Placed(bits);
            high[lane] = Placed(0xFFFF - bits);
            if (lane < TLanes.Count - 1)
            {
                continue;
            }

            // Other bits are dropped, and change nothing of the other number.
            TLanes pair = TLanes.Pair(Lanes<TLanes>(low, leftOut), Lanes<TLanes>(high, leftOut & 0x5555_5555), spare);
            Assert.Equal(low, Bits(TLanes.LowOfPair(pair, spare)));
            Assert.Equal(high, Bits(TLanes.HighOfPair(pair, spare)));
        }
    }

    private static TLanes Lanes<TLanes>(uint[] bits, uint others)
        where TLanes : struct, ILanes<TLanes>
    {
        float[] numbers = [.. bits.Select(value => BitConverter.UInt32BitsToSingle(value | others))];
        return TLanes.Load(in numbers[0], 0);
    }

    private static uint[] Bits<TLanes>(TLanes lanes)
        where TLanes : struct, ILanes<TLanes>
    {
        float[] numbers = new float[TLanes.Count];
        TLanes.Store(lanes, ref numbers[0], 0);
        return [.. numbers.Select(BitConverter.SingleToUInt32Bits)];
    }
}
