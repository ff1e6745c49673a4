namespace Minigrad.Numerics;

/// <summary>
/// What only a real float32 can do: round, split into exponent and mantissa, set a sign. The transcendental functions
/// are written once over this interface, in <see cref="ElementaryFunctions"/>, so that CPU lanes and GPU threads evaluate the same
/// polynomial.
/// </summary>
/// <typeparam name="T">The implementing type itself.</typeparam>
public interface IMachineReal<T> : IReal<T>
    where T : struct, IMachineReal<T>
{
    /// <summary>x · y + z, with one rounding where the hardware has the instruction and two where it has not.</summary>
    static abstract T MultiplyAdd(T x, T y, T z);

    /// <summary>The nearest whole number, ties to even.</summary>
    static abstract T Round(T x);

    /// <summary>x within the bounds low &lt; high; NaN stays NaN.</summary>
    static abstract T Clamp(T x, T low, T high);

    /// <summary>x · 2ⁿ for a whole number |n| ≤ 250, rounded once: it may overflow, or underflow gradually.</summary>
    static abstract T Scale(T x, T n);

    /// <summary>2ⁿ for a whole number −126 ≤ n ≤ 127.</summary>
    static abstract T PowerOfTwo(T n);

    /// <summary>The m and e of x = m · 2ᵉ with ⅔ ≤ m &lt; 4/3, for a positive normal x.</summary>
    static abstract T SplitNormal(T x, out T exponent);

    /// <summary>
    /// <see cref="SplitNormal"/> for every x. Where a logarithm has an edge, e · ln 2 + ln m takes its value there: e is
    /// −∞ at 0 and ∞ at ∞, and for NaN and below 0 one of the two is NaN.
    /// </summary>
    static abstract T Split(T x, out T exponent);

    /// <summary>x without the lower 12 of its 24 significant bits: a product of two such numbers is exact.</summary>
    static abstract T HighHalf(T x);

    /// <summary>|magnitude| with the sign bit of <paramref name="sign"/>.</summary>
    static abstract T CopySign(T magnitude, T sign);
}
