namespace Minigrad.Gpu.Kernels;

/// <summary>
/// Powers in double precision from plain arithmetic: ILGPU does not compile <see cref="Math.Pow"/> for CUDA, and its
/// own version differs from device to device.
/// </summary>
internal static class DevicePower
{
    private const double LogarithmOfTwoHigh = 0.693147180369123816490; // ln 2 to 32 bits, so that n times it is exact.
    private const double LogarithmOfTwoLow = 1.90821492927058770002e-10;
    private const double InverseLogarithmOfTwo = 1.44269504088896340736;
    private const double RootTwo = 1.41421356237309504880;
    private const double RoundingMagic = 6755399441055744.0; // 1.5 · 2⁵²: adding it leaves no bits for a fraction.

    /// <summary>
    /// xᵖ for a normal positive x, to about 1e-15 · (1 + |ln xᵖ|) relative; 0 where it underflows, +∞ where it overflows.
    /// </summary>
    /// <param name="x">The base.</param>
    /// <param name="power">The exponent p.</param>
    public static double Of(double x, double power) => Exponential(power * Logarithm(x));

    /// <summary>ln x for a normal positive x: x = m · 2ᵉ, ln m = 2 artanh((m − 1) / (m + 1)).</summary>
    private static double Logarithm(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        double e = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFFL) | 0x3FF0_0000_0000_0000L);
        bool isLarge = m > RootTwo;
        m *= isLarge ? 0.5 : 1.0;
        e += isLarge ? 1.0 : 0.0;
        double s = (m - 1.0) / (m + 1.0);
        double z = s * s;

        // |s| ≤ 0.1716, so z¹¹ is below 4e-17.
        double sum = 1.0 / 21.0;
        sum = (sum * z) + (1.0 / 19.0);
        sum = (sum * z) + (1.0 / 17.0);
        sum = (sum * z) + (1.0 / 15.0);
        sum = (sum * z) + (1.0 / 13.0);
        sum = (sum * z) + (1.0 / 11.0);
        sum = (sum * z) + (1.0 / 9.0);
        sum = (sum * z) + (1.0 / 7.0);
        sum = (sum * z) + (1.0 / 5.0);
        sum = (sum * z) + (1.0 / 3.0);
        return (e * LogarithmOfTwoHigh) + ((2.0 * s) + (2.0 * s * z * sum) + (e * LogarithmOfTwoLow));
    }

    /// <summary>eˣ; 0 where the result would not be normal.</summary>
    private static double Exponential(double x)
    {
        double n = (x * InverseLogarithmOfTwo) + RoundingMagic - RoundingMagic;
        double r = x - (n * LogarithmOfTwoHigh) - (n * LogarithmOfTwoLow);

        // |r| ≤ ln 2 / 2; the first term left out is r¹⁴ / 14! < 5e-18.
        double p = 1.0 / 6227020800.0;
        p = (p * r) + (1.0 / 479001600.0);
        p = (p * r) + (1.0 / 39916800.0);
        p = (p * r) + (1.0 / 3628800.0);
        p = (p * r) + (1.0 / 362880.0);
        p = (p * r) + (1.0 / 40320.0);
        p = (p * r) + (1.0 / 5040.0);
        p = (p * r) + (1.0 / 720.0);
        p = (p * r) + (1.0 / 120.0);
        p = (p * r) + (1.0 / 24.0);
        p = (p * r) + (1.0 / 6.0);
        p = (p * r) + 0.5;
        p = (p * r) + 1.0;
        p = (p * r) + 1.0;
        double power = p * BitConverter.Int64BitsToDouble((long)((int)n + 1023) << 52);

        // Selections, not branches: C# compiles `if (x > y)` to a jump that NaN takes as well, which OpenCL does not.
        double orZero = x < -708.0 ? 0.0 : power;
        return x > 709.4 ? double.PositiveInfinity : orZero;
    }
}
