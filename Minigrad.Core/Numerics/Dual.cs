using System.Runtime.CompilerServices;

namespace Minigrad.Numerics;

/// <summary>
/// A number and its derivative with respect to one variable: x + x′ε with ε² = 0. Putting <see cref="Dual{T}"/> in for a
/// formula's number type differentiates the formula; <c>Dual&lt;Dual&lt;T&gt;&gt;</c> differentiates it twice.
/// </summary>
/// <remarks>
/// Every function follows its derivative rule, never the differentiated polynomial or loop, so a slope is right
/// wherever the rule is. Where a function has a kink, the convention is PyTorch's.
/// </remarks>
/// <typeparam name="T">The number type of value and derivative.</typeparam>
public readonly struct Dual<T> : IReal<Dual<T>>
    where T : struct, IReal<T>
{
    /// <summary>The value x.</summary>
    public readonly T Value;

    /// <summary>The derivative x′.</summary>
    public readonly T Derivative;

    /// <summary>A value and its derivative. The variable itself has derivative 1, a constant 0.</summary>
    /// <param name="value">x.</param>
    /// <param name="derivative">x′.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Dual(T value, T derivative)
    {
        Value = value;
        Derivative = derivative;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Dual<T>(float value) => new(value, 0f);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Dual<T>(double value) => new(value, 0f);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator +(Dual<T> x, Dual<T> y) => new(x.Value + y.Value, x.Derivative + y.Derivative);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator -(Dual<T> x, Dual<T> y) => new(x.Value - y.Value, x.Derivative - y.Derivative);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator *(Dual<T> x, Dual<T> y) =>
        new(x.Value * y.Value, (x.Derivative * y.Value) + (x.Value * y.Derivative));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator *(float c, Dual<T> x) => new(c * x.Value, c * x.Derivative);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator *(Dual<T> x, float c) => new(c * x.Value, c * x.Derivative);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator /(Dual<T> x, Dual<T> y)
    {
        T quotient = x.Value / y.Value;
        return new(quotient, (x.Derivative - (quotient * y.Derivative)) / y.Value);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator /(Dual<T> x, float c) => new(x.Value / c, x.Derivative / c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> operator -(Dual<T> x) => new(-x.Value, -x.Derivative);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Less(Dual<T> x, Dual<T> y, Dual<T> whenTrue, Dual<T> whenFalse) =>
        new(
            T.Less(x.Value, y.Value, whenTrue.Value, whenFalse.Value),
            T.Less(x.Value, y.Value, whenTrue.Derivative, whenFalse.Derivative));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> IfNaN(Dual<T> x, Dual<T> whenTrue, Dual<T> whenFalse) =>
        new(T.IfNaN(x.Value, whenTrue.Value, whenFalse.Value), T.IfNaN(x.Value, whenTrue.Derivative, whenFalse.Derivative));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Abs(Dual<T> x) =>
        new(T.Abs(x.Value), T.Less(x.Value, 0f, -x.Derivative, T.Less(0f, x.Value, x.Derivative, 0f * x.Derivative)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Max(Dual<T> x, Dual<T> y) =>
        new(T.Max(x.Value, y.Value), OfLarger(x.Value, x.Derivative, y.Value, y.Derivative));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Min(Dual<T> x, Dual<T> y) =>
        new(T.Min(x.Value, y.Value), OfLarger(y.Value, x.Derivative, x.Value, y.Derivative));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Sqrt(Dual<T> x)
    {
        T root = T.Sqrt(x.Value);
        return new(root, x.Derivative / (2f * root));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Exp(Dual<T> x)
    {
        T exponential = T.Exp(x.Value);
        return new(exponential, x.Derivative * exponential);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> ExpM1(Dual<T> x) => new(T.ExpM1(x.Value), x.Derivative * T.Exp(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Log(Dual<T> x) => new(T.Log(x.Value), x.Derivative / x.Value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Log1P(Dual<T> x) => new(T.Log1P(x.Value), x.Derivative / (1f + x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Sin(Dual<T> x) => new(T.Sin(x.Value), x.Derivative * T.Cos(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Cos(Dual<T> x) => new(T.Cos(x.Value), -(x.Derivative * T.Sin(x.Value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Tanh(Dual<T> x)
    {
        T tanh = T.Tanh(x.Value);
        return new(tanh, x.Derivative * (1f - (tanh * tanh)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Sigmoid(Dual<T> x)
    {
        T sigmoid = T.Sigmoid(x.Value);
        return new(sigmoid, x.Derivative * (sigmoid * (1f - sigmoid)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Softplus(Dual<T> x) => new(T.Softplus(x.Value), x.Derivative * T.Sigmoid(x.Value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Erf(Dual<T> x) =>
        new(T.Erf(x.Value), x.Derivative * (Constants.TwoOverRootPi * T.Exp(-(x.Value * x.Value))));

    /// <inheritdoc/>
    /// <remarks>
    /// (xʸ)′ = y · xʸ⁻¹ · x′ + xʸ · ln x · y′, where the first term is 0 at y = 0 and the second at a base of 0, and a term
    /// is left out where its operand does not vary (0 · ∞ would be NaN).
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dual<T> Pow(Dual<T> x, Dual<T> y)
    {
        T power = T.Pow(x.Value, y.Value);
        T byBase = x.Derivative * (y.Value * T.Pow(x.Value, y.Value - 1f));
        T byExponent = y.Derivative * (power * T.Log(x.Value));
        byBase = UnlessZero(x.Derivative, UnlessZero(y.Value, byBase));
        byExponent = UnlessZero(y.Derivative, UnlessZero(x.Value, byExponent));
        return new(power, byBase + byExponent);
    }

    /// <summary>The derivative of whichever value is larger: half of each at a tie, all of each where a value is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T OfLarger(T x, T ofX, T y, T ofY) =>
        T.Less(y, x, ofX, T.Less(x, y, ofY, T.IfNaN(x + y, ofX + ofY, 0.5f * (ofX + ofY))));

    /// <summary>term, or an exact 0 where x is 0 (0 · ∞ would be NaN).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T UnlessZero(T x, T term) => T.Less(0f, T.Abs(x), term, T.IfNaN(x, term, 0f));
}
