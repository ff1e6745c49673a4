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

    /// <summary>The nearest whole number, ties to even, for |x| ≤ 2²².</summary>
    static abstract T Round(T x);

    /// <summary>2ⁿ for a whole number −126 ≤ n ≤ 127.</summary>
    static abstract T PowerOfTwo(T n);

    /// <summary>The binary exponent e of a positive normal x = m · 2ᵉ with 1 ≤ m &lt; 2.</summary>
    static abstract T Exponent(T x);

    /// <summary>The mantissa m of a positive normal x = m · 2ᵉ with 1 ≤ m &lt; 2.</summary>
    static abstract T Mantissa(T x);

    /// <summary>|magnitude| with the sign bit of <paramref name="sign"/>.</summary>
    static abstract T CopySign(T magnitude, T sign);
}
