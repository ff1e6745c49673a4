namespace Minigrad.Numerics;

/// <summary>Unsigned 32-bit words, one or several side by side, with the arithmetic that <see cref="Philox"/> needs.</summary>
/// <typeparam name="T">The implementing type.</typeparam>
internal interface IWords<T>
    where T : struct, IWords<T>
{
    /// <summary>The same word everywhere.</summary>
    static abstract implicit operator T(uint word);

    /// <summary>x + y, modulo 2³².</summary>
    static abstract T operator +(T x, T y);

    /// <summary>The bits in which x and y differ.</summary>
    static abstract T operator ^(T x, T y);

    /// <summary>The lower half of x · y.</summary>
    /// <param name="x">One factor.</param>
    /// <param name="y">The other.</param>
    /// <param name="upper">The upper half.</param>
    static abstract T Multiply(T x, T y, out T upper);
}
