using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>
/// The elementary functions in float32, each written once for CPU lanes and GPU threads: a reduction to a short
/// interval and a polynomial there.
/// </summary>
/// <remarks>
/// Every polynomial was fitted for this file: Lawson's iteratively reweighted least squares in extended precision
/// against the relative error of the result, then its coefficients rounded to float32 one at a time, lowest power first,
/// with the others fitted again. Constants of a reduction are split into parts of few bits, so that a whole number times
/// a part is exact without a fused multiply-add, which narrow vectors may lack. Where a chain of additions would be long,
/// even and odd powers are summed apart: a loop waits for the chain, not for the number of instructions.
/// The errors given are the largest found, in units in the last place (ulp) of the exact result, with a fused
/// multiply-add and without: over every argument from 2·10⁻⁴ to 128 (for a logarithm to 5, for sine and cosine to 10⁵),
/// and over every third argument elsewhere (every 61st for softplus and erf).
/// </remarks>
internal static class ElementaryFunctions
{
    private const float InverseLn2 = 1.44269504f;
    private const float RoundingMagic = 12582912f; // 1.5 · 2²³: adding it to a number within ±2²² leaves no bits for a fraction.
    private const float Ln2 = 0.693147181f;
    private const float Ln2High = 0.693145751953125f; // 16 bits: its product with |n| < 2⁸ is exact.
    private const float Ln2Low = 1.428606765330187e-6f;

    /// <summary>eˣ = 2ⁿ · eʳ with n the whole number nearest to x / ln 2 and |r| ≤ ½ ln 2. Error 0.89 and 1.17 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        // Outside these bounds the result is 0 or ∞ anyway.
        T r = ReduceByLn2(T.Clamp(x, -104f, 89f), out T n);
        return T.Scale(ExpOfReduced(r), n);
    }

    /// <summary>eˣ − 1 = 2ⁿ · (eʳ − 1) + (2ⁿ − 1), with the reduction of <see cref="Exp"/>. Error 1.46 and 1.53 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpM1<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T result = 2f * HalfOfExpM1(T.Clamp(x, -30f, 89f));
        return T.Less(T.Abs(x), 1e-8f, x, result);
    }

    /// <summary>ln x = e · ln 2 + ln m with ⅔ ≤ m &lt; 4/3. Error 0.98 and 1.02 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T m = T.Split(x, out T e);
        return LogOfSplit(m - 1f, e, e * Ln2Low);
    }

    /// <summary>
    /// ln(1 + x) = e · ln 2 + ln(1 + f) with f = x · 2⁻ᵉ + (2⁻ᵉ − 1), where e comes from 1 + x rounded. Error 1.19 and
    /// 1.26 ulp.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log1P<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        _ = T.SplitNormal(1f + x, out T e);
        T log = LogOfScaled(x, T.Scale(1f, -e), e);
        T ofNotPositive = T.Less(x, -1f, float.NaN, float.NegativeInfinity);
        return T.Less(x, float.PositiveInfinity, T.Less(-1f, x, T.CopySign(log, x), ofNotPositive), x);
    }

    /// <summary>sin x = ± sin r or ± cos r with r = x − n · π/2, |r| ≤ π/4. Error 1.05 and 1.09 ulp up to |x| = 10⁵.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sin<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T> => T.Less(T.Abs(x), 1e-4f, x, SinOfQuadrant(x, 0f));

    /// <summary>cos x = sin(x + π/2): <see cref="Sin"/> one quadrant further. Error 1.00 and 1.04 ulp up to |x| = 10⁵.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Cos<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T> => SinOfQuadrant(x, 1f);

    /// <summary>x + x³ · p(x²), of degree 11, below |x| = 0.625; above, 1 − 2 / (e²ˣ + 1). Error 1.36 and 1.34 ulp.</summary>
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

        // From 9.01 on the result rounds to 1.
        T r = ReduceByLn2(T.Clamp(a + a, 0f, 18.1f), out T n);
        T large = 1f - (2f / (T.MultiplyAdd(ExpOfReduced(r), T.PowerOfTwo(n), 1f)));
        return T.CopySign(T.Less(a, 0.625f, small, large), x);
    }

    /// <summary>1 / (1 + e⁻ˣ) for x ≥ 0, eˣ / (1 + eˣ) below, so that nothing overflows. Error 1.97 and 2.05 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T e = T.Exp(-T.Abs(x));
        T sum = e + 1f;
        T quotient = T.Less(x, 0f, e, 1f) / sum;

        // What rounding the sum lost; it matters where the sum is near 1.
        T lost = (sum - 1f) - e;
        return T.MultiplyAdd(lost, quotient, quotient);
    }

    /// <summary>max(x, 0) + ln(1 + e^(−|x|)). Error 1.83 and 1.84 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Softplus<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T t = T.Exp(-T.Abs(x));
        T e = T.Less(0.333333343f, t, 1f, 0f);
        return T.Less(x, 0f, 0f, x) + LogOfScaled(t, 1f - (0.5f * e), e);
    }

    /// <summary>
    /// x + x · p(x²), of degree 15, below |x| = 0.92; above, 1 − q(|x|) with q, of degree 14, fitted to 1 − erf x. Error
    /// 1.60 and 1.68 ulp.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Erf<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T z = x * x;
        T p = T.MultiplyAdd(z, 7.99664995e-05f, -0.000804976968f);
        p = T.MultiplyAdd(p, z, 0.00519240508f);
        p = T.MultiplyAdd(p, z, -0.0268557314f);
        p = T.MultiplyAdd(p, z, 0.112836257f);
        p = T.MultiplyAdd(p, z, -0.376126289f);
        p = T.MultiplyAdd(p, z, 0.128379166f);
        T small = T.MultiplyAdd(p, x, x);

        // From 3.94 on the result rounds to 1.
        T a = T.Abs(x);
        T u = T.Clamp(a, 0.9f, 3.94f) - 2.2f;
        T v = u * u;
        T even = T.MultiplyAdd(v, -1.25698534e-06f, 1.06065299e-05f);
        even = T.MultiplyAdd(even, v, 7.0941438e-05f);
        even = T.MultiplyAdd(even, v, -0.00118415221f);
        even = T.MultiplyAdd(even, v, 0.00260812021f);
        even = T.MultiplyAdd(even, v, 0.0218497794f);
        even = T.MultiplyAdd(even, v, 0.0196291413f);
        even = T.MultiplyAdd(even, v, 0.00186283805f);
        T odd = T.MultiplyAdd(v, 4.63400465e-06f, -7.52174674e-05f);
        odd = T.MultiplyAdd(odd, v, 0.000344288448f);
        odd = T.MultiplyAdd(odd, v, 0.00111436471f);
        odd = T.MultiplyAdd(odd, v, -0.0114923138f);
        odd = T.MultiplyAdd(odd, v, -0.0258135088f);
        odd = T.MultiplyAdd(odd, v, -0.00892222859f);
        T q = T.MultiplyAdd(odd, u, even);
        return T.Less(a, 0.92f, small, T.CopySign(1f - q, x));
    }

    /// <summary>
    /// |x|ʸ = 2^(y · log₂|x|), the logarithm and the product in two parts, with the sign of an odd whole y. Error 3.4 ulp
    /// both ways, over 16 million random pairs with results from 2⁻¹⁵⁰ to 2¹²⁸.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Pow<T>(T x, T y)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T a = T.Abs(x);
        T log = Log2(a, out T low);

        // An exponent that large gives 0, 1 or ∞ whatever the base.
        T bounded = T.Clamp(y, -1e10f, 1e10f);
        T yHigh = T.HighHalf(bounded);
        T logHigh = T.HighHalf(log);
        T whole = yHigh * logHigh;
        T rest = T.MultiplyAdd(yHigh, log - logHigh, T.MultiplyAdd(bounded - yHigh, log, bounded * low));
        T n = T.Round(T.Clamp(whole + rest, -200f, 200f));
        T fraction = T.Clamp((whole - n) + rest, -1f, 1f);
        T magnitude = T.Scale(ExpOfReduced(fraction * Ln2), n);

        // Bases 0 and ∞ have no logarithm: they stay under a positive exponent and change places under a negative one.
        T ofEdge = T.Less(y, 0f, T.Less(0f, a, 0f, float.PositiveInfinity), a);
        magnitude = T.Less(0f, a, T.Less(a, float.PositiveInfinity, magnitude, ofEdge), ofEdge);

        // Half of an odd number is exactly one half away from a whole number.
        T half = 0.5f * y;
        T power = T.Less(0.49999997f, T.Abs(half - T.Round(half)), T.CopySign(magnitude, x), magnitude);
        T ofNegative = T.Less(0f, T.Abs(y - T.Round(y)), float.NaN, power);
        power = T.Less(x, 0f, T.Less(float.NegativeInfinity, x, ofNegative, power), power);
        power = T.IfNaN(x, x, T.IfNaN(y, y, power));

        // 1 to any power is 1, and so is anything to the power 0, also NaN.
        power = T.Less(T.Abs(x - 1f), 1e-30f, 1f, power);
        return T.Less(0f, T.Abs(y), power, T.IfNaN(y, power, 1f));
    }

    /// <summary>r = x − n · ln 2 with n the whole number nearest to x / ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ReduceByLn2<T>(T x, out T n)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        n = T.MultiplyAdd(x, InverseLn2, RoundingMagic) - RoundingMagic;
        return T.MultiplyAdd(n, -Ln2Low, T.MultiplyAdd(n, -Ln2High, x));
    }

    /// <summary>
    /// eʳ for |r| ≤ ½ ln 2, a polynomial of degree 6 (its own error is 0.05 ulp), one power after another: that takes the fewest
    /// instructions, since each step but the first has one constant, which is read along, and the chain is short enough for a
    /// processor to work at the next numbers meanwhile.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpOfReduced<T>(T r)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T p = T.MultiplyAdd(r, 0.00138209877f, 0.00836867001f);
        p = T.MultiplyAdd(p, r, 0.0416682623f);
        p = T.MultiplyAdd(p, r, 0.166665211f);
        p = T.MultiplyAdd(p, r, 0.49999994f);
        p = T.MultiplyAdd(p, r, 1f);
        return T.MultiplyAdd(p, r, 1f);
    }

    /// <summary>½ (eˣ − 1), so that nothing overflows before the result does; eʳ − 1 is a polynomial of degree 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T HalfOfExpM1<T>(T x)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T r = ReduceByLn2(x, out T n);
        T square = r * r;
        T p = T.MultiplyAdd(r, 0.000197617162f, 0.00139323203f);
        p = T.MultiplyAdd(p, square, T.MultiplyAdd(r, 0.00833354611f, 0.0416664928f));
        p = T.MultiplyAdd(p, square, T.MultiplyAdd(r, 0.166666657f, 0.5f));
        p = T.MultiplyAdd(p, square, r);
        T half = T.PowerOfTwo(n - 1f);
        return T.MultiplyAdd(p, half, half - 0.5f);
    }

    /// <summary>ln(1 + x) = e · ln 2 + ln(1 + f) with f = x · scale + (scale − 1), where scale = 2⁻ᵉ makes f small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LogOfScaled<T>(T x, T scale, T e)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T shift = scale - 1f;
        T f = T.MultiplyAdd(x, scale, shift);
        T lost = T.MultiplyAdd(x, scale, shift - f);
        return LogOfSplit(f, e, T.MultiplyAdd(e, Ln2Low, lost));
    }

    /// <summary>e · ln 2 + ln(1 + f) for |f| ≤ ⅓, a polynomial of degree 10 (its own error is 0.08 ulp).</summary>
    /// <param name="f">The argument.</param>
    /// <param name="e">The exponent.</param>
    /// <param name="low">e times the lower part of ln 2, and what rounding f lost.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LogOfSplit<T>(T f, T e, T low)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        // Even and odd powers apart: two short chains of additions run side by side.
        T square = f * f;
        T even = T.MultiplyAdd(square, -0.128742903f, -0.121883787f);
        even = T.MultiplyAdd(even, square, -0.166801795f);
        even = T.MultiplyAdd(even, square, -0.249998048f);
        even = T.MultiplyAdd(even, square, -0.5f);
        T odd = T.MultiplyAdd(square, 0.139867082f, 0.140053406f);
        odd = T.MultiplyAdd(odd, square, 0.200104445f);
        odd = T.MultiplyAdd(odd, square, 0.333332151f);
        T p = T.MultiplyAdd(odd, f, even);
        return T.MultiplyAdd(e, Ln2High, f + T.MultiplyAdd(p, square, low));
    }

    /// <summary>
    /// log₂ x as a number and what rounding it lost: e + 2 / ln 2 · artanh s with s = (m − 1) / (m + 1) in two parts,
    /// |s| ≤ 0.172, and a polynomial of degree 9 in s.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Log2<T>(T x, out T low)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        // A logarithm of base 2 has its edge at √½: the smaller |s|, the smaller the part that is rounded.
        T m = T.Split(x, out T e);
        e = T.Less(m, 0.707106769f, e - 1f, e);
        m = T.Less(m, 0.707106769f, m + m, m);
        T numerator = m - 1f;
        T denominator = m + 1f;
        T inverse = 1f / denominator;
        T s = numerator * inverse;

        // The remainder of the division. Products of two upper halves are exact.
        T sHigh = T.HighHalf(s);
        T sLow = s - sHigh;
        T denominatorHigh = T.HighHalf(denominator);
        T remainder = T.MultiplyAdd(-sHigh, denominatorHigh, numerator);
        remainder = T.MultiplyAdd(-sHigh, m - (denominatorHigh - 1f), remainder);
        remainder = T.MultiplyAdd(-sLow, denominator, remainder);
        T correction = remainder * inverse;

        T z = s * s;
        T p = T.MultiplyAdd(z, 0.347795963f, 0.411261976f);
        p = T.MultiplyAdd(p, z, 0.577090621f);
        p = T.MultiplyAdd(p, z, 0.961796641f);

        // 2 / ln 2 in 12 bits and the rest. The slope of the whole at s is 2 / ln 2 · (1 + z + …).
        T rest = T.MultiplyAdd(sLow, 2.885390043f, p * (z * s));
        rest = T.MultiplyAdd(correction, T.MultiplyAdd(z, 2.885390043f, 2.885390043f), rest);
        rest = T.MultiplyAdd(sHigh, 0.0006244567921385169f, rest);
        T exact = 2.884765625f * sHigh;
        T sum = e + exact;
        rest = ((e - sum) + exact) + rest;
        T log = sum + rest;
        low = (sum - log) + rest;
        return log;
    }

    /// <summary>
    /// sin(x + quadrant · π/2). π/2 is split into parts of 8 bits, so that up to n = 2¹⁶ every product is exact; what
    /// subtracting them loses is kept. Past |x| = 10⁵ the absolute error grows to |x| · 2⁻²⁴, and at last the result only
    /// stays within −1 … 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T SinOfQuadrant<T>(T x, T quadrant)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T n = T.Round(x * 0.636619772f);
        T r = T.MultiplyAdd(n, -1.5703125f, x);
        r = T.MultiplyAdd(n, -0.0004825592041015625f, r);
        T lost = 0f;
        r = Subtract(r, 1.2665987014770508e-06f * n, ref lost);
        r = Subtract(r, 9.89530235528946e-10f * n, ref lost);
        r = Subtract(r, 2.5579538487363607e-12f * n, ref lost);
        lost = T.MultiplyAdd(n, -5.390302953474238e-15f, lost);
        r = T.Clamp(r, -1f, 1f);

        T z = r * r;
        T sine = T.MultiplyAdd(z, 2.83273926e-06f, -0.000198530732f);
        sine = T.MultiplyAdd(sine, z, 0.0083333794f);
        sine = T.MultiplyAdd(sine, z, -0.166666672f);
        sine = r + T.MultiplyAdd(sine, z * r, lost);
        T parabola = T.MultiplyAdd(z, -0.5f, 1f);
        T cosine = T.MultiplyAdd(z, 2.44325638e-05f, -0.00138873106f);
        cosine = T.MultiplyAdd(cosine, z, 0.0416666456f);
        cosine = T.MultiplyAdd(cosine, z * z, T.MultiplyAdd(z, -0.5f, 1f - parabola)) - (r * lost);
        cosine = parabola + cosine;

        // The quadrant modulo 4, within −2 … 2: odd ones take the cosine, −1 and ±2 are negative.
        T q = n + quadrant;
        q = T.MultiplyAdd(T.Round(0.25f * q), -4f, q);
        T result = T.Less(T.Abs(T.Abs(q) - 1f), 0.5f, cosine, sine);
        return T.Clamp(T.Less(1f, T.Abs(q - 0.5f), -result, result), -1f, 1f);
    }

    /// <summary>x − y rounded, with what rounding lost added to <paramref name="lost"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Subtract<T>(T x, T y, ref T lost)
        where T : struct, IMachineReal<T>, IReal<T>
    {
        T difference = x - y;
        lost += (x - difference) - y;
        return difference;
    }
}
