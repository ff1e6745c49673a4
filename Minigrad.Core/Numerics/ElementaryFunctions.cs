using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>
/// The elementary functions in float32, each written once for CPU lanes and GPU threads: a reduction to a short
/// interval and a polynomial there. Every polynomial was fitted for this file (weighted least squares, reweighted until
/// the error is even), so that its own error is below a tenth of a unit in the last place; what remains is rounding.
/// </summary>
/// <remarks>
/// Constants of a reduction are split so that n · (high part) is exact without a fused multiply-add, which narrow
/// vectors and ILGPU do not have. Measured errors are in <c>docs/numerics.md</c> and held by a test.
/// </remarks>
internal static class ElementaryFunctions
{
    private const float SmallestNormal = 1.17549435e-38f;
    private const float LargestFinite = 3.40282347e38f;
    private const float InverseLn2 = 1.44269504f;
    private const float Ln2High = 0.693359375f; // 10 bits: a product with |n| < 2¹⁴ is exact.
    private const float Ln2Low = -2.12194440e-4f;
    private const float RootOfTwo = 1.41421356f;

    /// <summary>eˣ = 2ⁿ · eʳ with n the nearest whole number to x / ln 2 and |r| ≤ ½ ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        // Outside these bounds the result is 0 or ∞ anyway, and n stays small enough to scale by.
        T bounded = T.Less(x, -104f, -104f, T.Less(89f, x, 89f, x));
        T r = ReduceByLn2(bounded, out T n, out T lost);
        T p = T.MultiplyAdd(r, 0.0013814539f, 0.008368745f);
        p = T.MultiplyAdd(p, r, 0.04166839f);
        p = T.MultiplyAdd(p, r, 0.16666521f);
        p = T.MultiplyAdd(p, r, 0.49999994f);
        p = (r + T.MultiplyAdd(p, r * r, lost)) + 1f;
        return Scale(p, n);
    }

    /// <summary>eˣ − 1 = 2ⁿ · (eʳ − 1) + (2ⁿ − 1), with the reduction of <see cref="Exp"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpM1<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T bounded = T.Less(x, -30f, -30f, T.Less(89f, x, 89f, x));
        T r = ReduceByLn2(bounded, out T n, out T lost);
        T p = T.MultiplyAdd(r, 0.00019914229f, 0.001394105f);
        p = T.MultiplyAdd(p, r, 0.008333273f);
        p = T.MultiplyAdd(p, r, 0.041666355f);
        p = T.MultiplyAdd(p, r, 0.16666667f);
        p = T.MultiplyAdd(p, r, 0.5f);
        p = r + T.MultiplyAdd(p, r * r, lost);

        // Half of the result, so that 2ⁿ does not overflow before the result does.
        T half = T.PowerOfTwo(n - 1f);
        T result = 2f * (T.MultiplyAdd(p, half, half - 0.5f));
        return T.Less(T.Abs(x), 1e-8f, x, result);
    }

    /// <summary>ln x = e · ln 2 + ln m with √½ ≤ m &lt; √2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T correction = LogOfMantissa(x, out T m, out T e);
        T log = T.MultiplyAdd(e, Ln2High, m + T.MultiplyAdd(e, Ln2Low, correction));
        return LogAtEdges(x, log);
    }

    /// <summary>ln(1 + x) = ln u + (x − (u − 1)) / u with u = 1 + x rounded: the second term restores what rounding lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log1P<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T u = 1f + x;
        T lost = T.Less(0f, u, (x - (u - 1f)) / u, 0f);
        T correction = LogOfMantissa(u, out T m, out T e);
        T log = T.MultiplyAdd(e, Ln2High, m + (T.MultiplyAdd(e, Ln2Low, correction) + lost));
        return T.Less(T.Abs(x), 1e-8f, x, LogAtEdges(u, log));
    }

    /// <summary>± sin r with r = x − nπ, |r| ≤ π/2. Past |x| = 10⁵ the reduction loses digits, and the result is only bounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sin<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T n = T.Round(x * 0.318309886f);
        T result = WithParity(SinOfReduced(ReduceByPi(x, n)), n);
        return T.Less(T.Abs(x), 1e-4f, x, result);
    }

    /// <summary>
    /// ± sin r with r = x − (n + ½)π, |r| ≤ π/2; near the peaks ±(1 − 2 sin²(r/2)) with r = x − nπ, so that cos 0 is 1. See
    /// <see cref="Sin"/> for large arguments.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Cos<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T n = T.Round(T.MultiplyAdd(x, 0.318309886f, -0.5f));
        T slope = WithParity(-SinOfReduced(ReduceByPi(x, n + 0.5f)), n);
        T nearest = T.Round(x * 0.318309886f);
        T r = ReduceByPi(x, nearest);
        T half = SinOfReduced(0.5f * r);
        T peak = WithParity(T.MultiplyAdd(-2f * half, half, 1f), nearest);
        return T.Less(T.Abs(r), 0.7f, peak, slope);
    }

    /// <summary>A polynomial below |x| = 0.625, 1 − 2 / (e²ˣ + 1) above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T a = T.Abs(x);
        T z = x * x;
        T p = T.MultiplyAdd(z, -0.0057170447f, 0.020650586f);
        p = T.MultiplyAdd(p, z, -0.053743497f);
        p = T.MultiplyAdd(p, z, 0.13331491f);
        p = T.MultiplyAdd(p, z, -0.33333284f);
        T small = T.MultiplyAdd(p * z, a, a);
        T large = 1f - (2f / (Exp(2f * a) + 1f));
        return T.CopySign(T.Less(a, 0.625f, small, large), x);
    }

    /// <summary>1 / (1 + e⁻ˣ) for x ≥ 0, eˣ / (1 + eˣ) below, so that nothing overflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T e = Exp(-T.Abs(x));
        T sum = 1f + e;
        T quotient = T.Less(x, 0f, e, 1f) / sum;

        // What rounding the sum lost, times the slope of the quotient; 1 / sum is 1 − quotient or the quotient itself.
        T lost = e - (sum - 1f);
        return T.MultiplyAdd(-lost, quotient * T.Less(x, 0f, 1f - quotient, quotient), quotient);
    }

    /// <summary>max(x, 0) + ln(1 + e^(−|x|)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Softplus<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T> => T.Max(x, 0f) + Log1P(Exp(-T.Abs(x)));

    /// <summary>A polynomial below |x| = 0.92; above, 1 − e^(−x·q(x)) with q fitted to −ln(1 − erf x) / x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Erf<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T z = x * x;
        T p = T.MultiplyAdd(z, 8.345227e-05f, -0.0008137438f);
        p = T.MultiplyAdd(p, z, 0.0052006342f);
        p = T.MultiplyAdd(p, z, -0.02685927f);
        p = T.MultiplyAdd(p, z, 0.11283694f);
        p = T.MultiplyAdd(p, z, -0.37612635f);
        p = T.MultiplyAdd(p, z, 0.12837917f);
        T small = T.MultiplyAdd(p, x, x);
        T a = T.Min(T.Abs(x), 4f);
        T q = T.MultiplyAdd(a, 5.2970486e-06f, -4.994103e-05f);
        q = T.MultiplyAdd(q, a, -2.7432443e-05f);
        q = T.MultiplyAdd(q, a, 0.0028691138f);
        q = T.MultiplyAdd(q, a, -0.022575604f);
        q = T.MultiplyAdd(q, a, 0.10516948f);
        q = T.MultiplyAdd(q, a, 0.63567317f);
        q = T.MultiplyAdd(q, a, 1.1285415f);
        T large = T.CopySign(1f - Exp(-(q * a)), x);
        return T.Less(T.Abs(x), 0.92f, small, T.IfNaN(x, x, large));
    }

    /// <summary>
    /// |x|ʸ = 2^(y·e + y·log₂m), the first product in two exact halves, with the sign of an odd whole y. Whole exponents
    /// beyond four million count as even.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Pow<T>(T x, T y)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T a = T.Abs(x);

        T finite = T.Less(0f, a, T.Less(LargestFinite, a, 1f, a), 1f);
        T correction = LogOfMantissa(finite, out T m, out T e);

        // An exponent that large gives 0 or ∞ whatever the base.
        T bounded = T.Less(y, -1e10f, -1e10f, T.Less(1e10f, y, 1e10f, y));

        // Adding and subtracting 2¹² + 1 times y leaves its upper 12 bits (Veltkamp), whose product with e is exact.
        T shifted = 4097f * bounded;
        T high = shifted - (shifted - bounded);
        T whole = high * e;
        T rest = T.MultiplyAdd(bounded - high, e, bounded * ((m + correction) * InverseLn2));
        T sum = whole + rest;
        T n = T.Round(T.Less(sum, -200f, -200f, T.Less(200f, sum, 200f, sum)));
        T fraction = T.Less(T.Abs(sum), 200f, (whole - n) + rest, 0f);
        T magnitude = Scale(Exp(fraction * 0.693147181f), T.Less(n, -160f, -160f, T.Less(130f, n, 130f, n)));

        // Bases 0 and ∞ have no logarithm: they keep their kind under a positive exponent and change it under a negative.
        T ofZero = T.Less(y, 0f, float.PositiveInfinity, 0f);
        T ofInfinity = T.Less(y, 0f, 0f, float.PositiveInfinity);
        magnitude = T.Less(0f, a, T.Less(LargestFinite, a, ofInfinity, magnitude), ofZero);

        T rounded = T.Less(T.Abs(y), 4194304f, T.Round(y), y);
        T isOdd = T.Less(T.Abs(y), 4194304f, T.Abs(rounded - (2f * T.Round(0.5f * rounded))), 0f);
        T ofWhole = T.Less(isOdd, 0.5f, magnitude, -magnitude);
        T hasRoot = T.Less(0f, a, T.Less(LargestFinite, a, magnitude, float.NaN), magnitude);
        T ofNegative = T.Less(0f, T.Abs(y - rounded), hasRoot, ofWhole);
        T power = T.Less(T.CopySign(1f, x), 0f, ofNegative, magnitude);
        power = T.IfNaN(x, x, T.IfNaN(y, y, power));

        // 1 to any power is 1, also to NaN, and so is −1 to ±∞; anything to the power 0 is 1, also NaN.
        T ofOne = T.Less(0f, x, 1f, T.Less(LargestFinite, T.Abs(y), 1f, power));
        power = T.Less(0f, T.Abs(a - 1f), power, T.IfNaN(x, x, ofOne));
        return T.Less(0f, T.Abs(y), power, T.IfNaN(y, power, 1f));
    }

    /// <summary>r = x − n · ln 2, and what rounding r lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ReduceByLn2<T>(T x, out T n, out T lost)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        n = T.Round(x * InverseLn2);
        T exact = T.MultiplyAdd(n, -Ln2High, x);
        T r = T.MultiplyAdd(n, -Ln2Low, exact);
        lost = T.MultiplyAdd(n, -Ln2Low, exact - r);
        return r;
    }

    /// <summary>x · 2ⁿ in two steps, since 2ⁿ itself may overflow, or the result be subnormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Scale<T>(T x, T n)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T half = T.Round(0.5f * n);
        return x * T.PowerOfTwo(half) * T.PowerOfTwo(n - half);
    }

    /// <summary>
    /// Splits a positive x into (1 + m) · 2ᵉ with m within √½ − 1 … √2 − 1, and gives ln(1 + m) − m.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LogOfMantissa<T>(T x, out T m, out T e)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        // A subnormal is scaled by 2²³ first, so that it has the exponent of a normal.
        T normal = T.Less(x, SmallestNormal, x * 8388608f, x);
        T exponent = T.Exponent(normal) - T.Less(x, SmallestNormal, 23f, 0f);
        T mantissa = T.Mantissa(normal);
        e = T.Less(RootOfTwo, mantissa, exponent + 1f, exponent);
        m = T.Less(RootOfTwo, mantissa, 0.5f * mantissa, mantissa) - 1f;
        T p = T.MultiplyAdd(m, -0.07634493f, 0.12761575f);
        p = T.MultiplyAdd(p, m, -0.13160183f);
        p = T.MultiplyAdd(p, m, 0.14201759f);
        p = T.MultiplyAdd(p, m, -0.16623357f);
        p = T.MultiplyAdd(p, m, 0.20001227f);
        p = T.MultiplyAdd(p, m, -0.2500082f);
        p = T.MultiplyAdd(p, m, 0.3333333f);
        T square = m * m;
        return T.MultiplyAdd(p * m, square, -0.5f * square);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LogAtEdges<T>(T x, T log)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T positive = T.Less(LargestFinite, x, x, log);
        return T.Less(0f, x, positive, T.Less(x, 0f, float.NaN, T.IfNaN(x, x, float.NegativeInfinity)));
    }

    /// <summary>x − qπ with π in three parts of few bits; within ±π/2 but for rounding, and kept bounded where the digits have run out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ReduceByPi<T>(T x, T q)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T r = T.MultiplyAdd(q, -3.140625f, x);
        r = T.MultiplyAdd(q, -9.67502593994140625e-4f, r);
        r = T.MultiplyAdd(q, -1.509957990978376432e-7f, r);
        return T.Less(2f, r, 2f, T.Less(r, -2f, -2f, r));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T SinOfReduced<T>(T r)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T z = r * r;
        T p = T.MultiplyAdd(z, -2.3907361e-08f, 2.7526519e-06f);
        p = T.MultiplyAdd(p, z, -0.00019840892f);
        p = T.MultiplyAdd(p, z, 0.008333331f);
        p = T.MultiplyAdd(p, z, -0.16666667f);
        return T.MultiplyAdd(p * z, r, r);
    }

    /// <summary>value for an even n, −value for an odd one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T WithParity<T>(T value, T n)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T parity = T.Abs(n - (2f * T.Round(0.5f * n)));
        return T.Less(parity, 0.5f, value, -value);
    }
}
