namespace Minigrad.Numerics;

/// <summary>
/// A number type that formulas are written over. One formula, written once, becomes the vectorised CPU loop
/// (<see cref="Lanes512"/> and its narrower twins), the GPU kernel (<see cref="Scalar"/>), its own derivative
/// (<see cref="Dual{T}"/>) and the reference in the tests (<see cref="Exact"/>), by the type put in for <typeparamref name="T"/>.
/// </summary>
/// <remarks>
/// There is no boolean type: a branch is a selection that computes both sides (<see cref="Less"/>, <see cref="IfNaN"/>),
/// because lanes of one vector may go different ways. Every function here has a derivative rule of its own in
/// <see cref="Dual{T}"/>; a formula built from them needs none.
/// </remarks>
/// <typeparam name="T">The implementing type itself.</typeparam>
public interface IReal<T>
    where T : struct, IReal<T>
{
    /// <summary>The number that every lane of a literal such as <c>0.5f</c> holds; its derivative is 0.</summary>
    static abstract implicit operator T(float value);

    /// <summary>A literal in double precision, rounded to what <typeparamref name="T"/> can hold; its derivative is 0.</summary>
    static abstract implicit operator T(double value);

    /// <summary>x + y.</summary>
    static abstract T operator +(T x, T y);

    /// <summary>x − y.</summary>
    static abstract T operator -(T x, T y);

    /// <summary>x · y.</summary>
    static abstract T operator *(T x, T y);

    /// <summary>c · x for a constant c. It is a rule of its own, since 0 · ∞ must not enter the derivative.</summary>
    static abstract T operator *(float c, T x);

    /// <summary>x · c for a constant c, as c · x.</summary>
    static abstract T operator *(T x, float c);

    /// <summary>x / y, correctly rounded.</summary>
    static abstract T operator /(T x, T y);

    /// <summary>x / c for a constant c, correctly rounded; a rule of its own, as c · x is.</summary>
    static abstract T operator /(T x, float c);

    /// <summary>−x.</summary>
    static abstract T operator -(T x);

    /// <summary>x &lt; y ? whenTrue : whenFalse. A comparison with NaN is false.</summary>
    static abstract T Less(T x, T y, T whenTrue, T whenFalse);

    /// <summary>x is NaN ? whenTrue : whenFalse.</summary>
    static abstract T IfNaN(T x, T whenTrue, T whenFalse);

    /// <summary>|x|. The slope at 0 is 0.</summary>
    static abstract T Abs(T x);

    /// <summary>The larger of two numbers; NaN if either is NaN. At a tie each side gets half of the slope.</summary>
    static abstract T Max(T x, T y);

    /// <summary>The smaller of two numbers; NaN if either is NaN. At a tie each side gets half of the slope.</summary>
    static abstract T Min(T x, T y);

    /// <summary>√x, correctly rounded. The slope at 0 is +∞.</summary>
    static abstract T Sqrt(T x);

    /// <summary>eˣ over the full range: overflows to +∞, underflows gradually to 0.</summary>
    static abstract T Exp(T x);

    /// <summary>eˣ − 1, accurate near 0.</summary>
    static abstract T ExpM1(T x);

    /// <summary>ln x: −∞ at 0, NaN below.</summary>
    static abstract T Log(T x);

    /// <summary>ln(1 + x), accurate near 0.</summary>
    static abstract T Log1P(T x);

    /// <summary>sin x, x in radians.</summary>
    static abstract T Sin(T x);

    /// <summary>cos x, x in radians.</summary>
    static abstract T Cos(T x);

    /// <summary>tanh x.</summary>
    static abstract T Tanh(T x);

    /// <summary>1 / (1 + e⁻ˣ), without overflow on either side.</summary>
    static abstract T Sigmoid(T x);

    /// <summary>ln(1 + eˣ), without overflow: x for large x, eˣ for small.</summary>
    static abstract T Softplus(T x);

    /// <summary>erf x = 2/√π · ∫₀ˣ e^(−t²) dt.</summary>
    static abstract T Erf(T x);

    /// <summary>
    /// xʸ, with the conventions of IEEE 754: x⁰ = 1 for every x, a negative base is right for whole exponents and NaN
    /// for others. The slope with respect to x at y = 0 is 0.
    /// </summary>
    static abstract T Pow(T x, T y);
}
