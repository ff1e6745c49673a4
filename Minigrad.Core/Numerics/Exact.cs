using System.Runtime.CompilerServices;
using MathNet.Numerics;

namespace Minigrad.Numerics;

/// <summary>
/// One float64, computed by the platform's mathematical library: the reference that the tests hold every other number
/// type against. No tensor computes with it.
/// </summary>
public readonly struct Exact : IReal<Exact>
{
    /// <summary>The number.</summary>
    public readonly double Value;

    /// <summary>Wraps a double.</summary>
    /// <param name="value">The number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Exact(double value) => Value = value;

    /// <inheritdoc/>
    public static implicit operator Exact(float value) => new(value);

    /// <inheritdoc/>
    public static implicit operator Exact(double value) => new(value);

    /// <inheritdoc/>
    public static Exact operator +(Exact x, Exact y) => new(x.Value + y.Value);

    /// <inheritdoc/>
    public static Exact operator -(Exact x, Exact y) => new(x.Value - y.Value);

    /// <inheritdoc/>
    public static Exact operator *(Exact x, Exact y) => new(x.Value * y.Value);

    /// <inheritdoc/>
    public static Exact operator *(float c, Exact x) => new(c * x.Value);

    /// <inheritdoc/>
    public static Exact operator *(Exact x, float c) => new(x.Value * c);

    /// <inheritdoc/>
    public static Exact operator /(Exact x, Exact y) => new(x.Value / y.Value);

    /// <inheritdoc/>
    public static Exact operator /(Exact x, float c) => new(x.Value / c);

    /// <inheritdoc/>
    public static Exact operator -(Exact x) => new(-x.Value);

    /// <inheritdoc/>
    public static Exact Less(Exact x, Exact y, Exact whenTrue, Exact whenFalse) => x.Value < y.Value ? whenTrue : whenFalse;

    /// <inheritdoc/>
    public static Exact IfNaN(Exact x, Exact whenTrue, Exact whenFalse) => double.IsNaN(x.Value) ? whenTrue : whenFalse;

    /// <inheritdoc/>
    public static Exact Abs(Exact x) => new(Math.Abs(x.Value));

    /// <inheritdoc/>
    public static Exact Max(Exact x, Exact y) => new(Math.Max(x.Value, y.Value));

    /// <inheritdoc/>
    public static Exact Min(Exact x, Exact y) => new(Math.Min(x.Value, y.Value));

    /// <inheritdoc/>
    public static Exact Sqrt(Exact x) => new(Math.Sqrt(x.Value));

    /// <inheritdoc/>
    public static Exact Exp(Exact x) => new(Math.Exp(x.Value));

    /// <inheritdoc/>
    public static Exact ExpM1(Exact x) =>
        new(Math.Abs(x.Value) < 1 ? 2 * Math.Exp(x.Value / 2) * Math.Sinh(x.Value / 2) : Math.Exp(x.Value) - 1);

    /// <inheritdoc/>
    public static Exact Log(Exact x) => new(Math.Log(x.Value));

    /// <inheritdoc/>
    public static Exact Log1P(Exact x) => new(Log1P(x.Value));

    /// <inheritdoc/>
    public static Exact Sin(Exact x) => new(Math.Sin(x.Value));

    /// <inheritdoc/>
    public static Exact Cos(Exact x) => new(Math.Cos(x.Value));

    /// <inheritdoc/>
    public static Exact Tanh(Exact x) => new(Math.Tanh(x.Value));

    /// <inheritdoc/>
    public static Exact Sigmoid(Exact x) => new(1 / (1 + Math.Exp(-x.Value)));

    /// <inheritdoc/>
    public static Exact Softplus(Exact x) =>
        new(Math.Max(x.Value, 0) + Log1P(Math.Exp(-Math.Abs(x.Value))));

    /// <inheritdoc/>
    public static Exact Erf(Exact x) => new(SpecialFunctions.Erf(x.Value));

    /// <inheritdoc/>
    public static Exact Pow(Exact x, Exact y) => new(Math.Pow(x.Value, y.Value));

    /// <summary>ln u, times what rounding 1 + x to u changed it by: x / (u − 1).</summary>
    private static double Log1P(double x)
    {
        double u = 1 + x;
        return u == 1 || double.IsPositiveInfinity(u) ? x : u == 0 ? double.NegativeInfinity : Math.Log(u) * (x / (u - 1));
    }
}
