using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Optimizers.Rules;

/// <summary>What rules remember of past gradients: sums and means in which each step counts for less the older it is.</summary>
/// <remarks>
/// Where gradients stay 0, as those of a unit that has died or of a row that is no longer looked up, such a number shrinks at each step.
/// Below 2⁻¹²⁶ it would be subnormal, with which many processors calculate many times as slowly, and would stay so for ever: rounded,
/// 0.9 · 4 · 2⁻¹⁴⁹ is 4 · 2⁻¹⁴⁹ again. So it shrinks no further than to 2⁻¹⁰⁰ here: a sum or a mean goes on to 0, and a mean of
/// squares stays, since it is divided by. A parameter hardly feels it: 2⁻¹⁰⁰ / √2⁻¹⁰⁰ is 9 · 10⁻¹⁶ of a learning rate. (Only Adamax divides
/// by no root, so that with an ε of 0 it does not follow gradients below about 2⁻¹⁰⁰ / (1 − β₁).)
/// </remarks>
internal static class Running
{
    /// <summary>2⁻¹⁰⁰: far enough above the subnormals that products with a learning rate and with a decay are none either.</summary>
    private const float Least = 7.8886091e-31f;

    /// <summary>b ← μ · b + x.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="sum">b.</param>
    /// <param name="decay">μ.</param>
    /// <param name="x">x.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum<T>(T sum, float decay, T x)
        where T : struct, IReal<T> => OrZero((decay * sum) + x);

    /// <summary>m ← m + (1 − β)(x − m), which is x − β · (x − m), from the end that is nearer: where β is 0 and m large, m + (x − m) would lose x.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="mean">m.</param>
    /// <param name="rate">1 − β.</param>
    /// <param name="x">x.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Mean<T>(T mean, float rate, T x)
        where T : struct, IReal<T> => OrZero(rate < 0.5f ? mean + (rate * (x - mean)) : x - ((1f - rate) * (x - mean)));

    /// <summary>v ← β · v + (1 − β) · x².</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="square">v.</param>
    /// <param name="decay">β.</param>
    /// <param name="rate">1 − β, rounded on its own: 1 − 0.999 in float32 is off by 5 · 10⁻⁵.</param>
    /// <param name="x">x.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MeanSquare<T>(T square, float decay, float rate, T x)
        where T : struct, IReal<T> => OrLeast((decay * square) + (rate * (x * x)));

    /// <summary>u ← max(β · u, a).</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="largest">u.</param>
    /// <param name="decay">β.</param>
    /// <param name="magnitude">a, not negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Largest<T>(T largest, float decay, T magnitude)
        where T : struct, IReal<T> => OrLeast(T.Max(decay * largest, magnitude));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T OrZero<T>(T x)
        where T : struct, IReal<T> => T.Less(T.Abs(x), Least, 0f, x);

    /// <summary>0 stays 0: no gradient has been seen yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T OrLeast<T>(T x)
        where T : struct, IReal<T> => T.Less(x, Least, T.Less(0f, x, Least, x), x);
}
