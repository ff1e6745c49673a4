using System.Runtime.Intrinsics;
using Minigrad.Numerics;

namespace Minigrad.Tests.Numerics;

/// <summary>Two numbers in the room of one, at every width that the machine has.</summary>
public sealed class LanePairTests
{
    [Fact]
    public void Every_upper_half_comes_back_from_either_place()
    {
        Check<Lanes128>(isFast: Vector128.IsHardwareAccelerated);
        Check<Lanes256>(isFast: Vector256.IsHardwareAccelerated);
        Check<Lanes512>(isFast: Vector512.IsHardwareAccelerated);
    }

    private static void Check<TLanes>(bool isFast)
        where TLanes : struct, ILanes<TLanes>
    {
        if (!isFast)
        {
            return;
        }

        uint[] low = new uint[TLanes.Count], high = new uint[TLanes.Count];
        for (uint bits = 0; bits < 0x10000; bits++)
        {
            int lane = (int)bits % TLanes.Count;
            low[lane] = bits << 16;
            high[lane] = (0xFFFF - bits) << 16;
            if (lane < TLanes.Count - 1)
            {
                continue;
            }

            // Lower bits are dropped, and change nothing of the other number.
            TLanes pair = TLanes.Pair(Lanes<TLanes>(low, 0xFFFF), Lanes<TLanes>(high, 0x8001));
            Assert.Equal(low, Bits(TLanes.LowOfPair(pair)));
            Assert.Equal(high, Bits(TLanes.HighOfPair(pair)));
        }
    }

    private static TLanes Lanes<TLanes>(uint[] bits, uint lower)
        where TLanes : struct, ILanes<TLanes>
    {
        float[] numbers = [.. bits.Select(value => BitConverter.UInt32BitsToSingle(value | lower))];
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
