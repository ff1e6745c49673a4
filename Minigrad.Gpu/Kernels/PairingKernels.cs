using ILGPU;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>Numbers rounded to a format of 16 bits and stored in it, two in a word: half the bytes for what reads them again.</summary>
internal static class PairingKernels
{
    /// <summary>Bits 0 to 15 of y[i] are x[2i] in the format, bits 16 to 31 are x[2i + 1], or 0 after the last.</summary>
    public static void Pair<TRounding>(Index1D i, TRounding rounding, ArrayView<float> x, ArrayView<int> y)
        where TRounding : unmanaged, IRounding
    {
        int first = 2 * i;
        int low = Bits<TRounding>(rounding.Forward(new Scalar(x[first])).Value);
        int high = 0;
        if (first + 1 < x.IntLength)
        {
            high = Bits<TRounding>(rounding.Forward(new Scalar(x[first + 1])).Value);
        }

        y[i] = low | (high << 16);
    }

    /// <summary>The 16 bits of a number that the format can hold. bfloat16 is the upper half of float32.</summary>
    private static int Bits<TRounding>(float rounded)
        where TRounding : unmanaged, IRounding
    {
        const int Infinity = 0x7F800000;
        const int SmallestNormalHalf = 0x38800000; // 2⁻¹⁴
        int bits = (int)Interop.FloatAsInt(rounded);
        int magnitude = bits & int.MaxValue;
        int stored;
        if (TRounding.ExponentBits == 8)
        {
            // The bits that say NaN may be lower ones alone.
            stored = magnitude > Infinity ? 0x7FC0 : magnitude >> 16;
        }
        else if (magnitude >= Infinity)
        {
            stored = magnitude > Infinity ? 0x7E00 : 0x7C00;
        }
        else if (magnitude >= SmallestNormalHalf)
        {
            stored = (magnitude >> 13) - ((127 - 15) << 10);
        }
        else
        {
            // A subnormal half is a multiple of 2⁻²⁴, and its bits are which one.
            stored = (int)(Interop.IntAsFloat((uint)magnitude) * 16777216f);
        }

        return stored | ((bits >> 16) & 0x8000);
    }
}
