using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// Rounding by float32's own rounding: adding a large number leaves a smaller one with as few bits as are wanted, of two
/// numbers as near the even one, and subtracting it again is exact. It takes sums alone, which no device's compiler fuses.
/// </summary>
internal static class NearestMultiple
{
    /// <summary>A magnitude rounded to a share of its power of two, or of the smallest normal one.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="magnitude">The number, not negative, below 2¹²⁷ times the smallest normal.</param>
    /// <param name="smallestNormal">The power of two from which on precision is relative.</param>
    /// <param name="ratio">How many times its power of two is what has the share as its distance to its neighbours.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T magnitude, float smallestNormal, float ratio)
        where T : struct, IReal<T>
    {
        // The largest power of two that is not above the number, by halving what is left of the range seven times.
        T power = Raised(magnitude, smallestNormal, 18446744073709551616f);
        power = Raised(magnitude, power, 4294967296f);
        power = Raised(magnitude, power, 65536f);
        power = Raised(magnitude, power, 256f);
        power = Raised(magnitude, power, 16f);
        power = Raised(magnitude, power, 4f);
        power = Raised(magnitude, power, 2f);
        T large = ratio * power;
        return magnitude + large - large;
    }

    /// <summary>A magnitude with the sign of the number that it was made of; the number itself if that is 0 or NaN.</summary>
    /// <typeparam name="T">The number type; see <see cref="IReal{T}"/>.</typeparam>
    /// <param name="x">The number.</param>
    /// <param name="magnitude">The magnitude.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T WithSign<T>(T x, T magnitude)
        where T : struct, IReal<T> =>
        T.Less(x, 0f, -magnitude, T.Less(0f, x, magnitude, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Raised<T>(T magnitude, T power, float factor)
        where T : struct, IReal<T> =>
        T.Less(magnitude, factor * power, power, factor * power);
}
