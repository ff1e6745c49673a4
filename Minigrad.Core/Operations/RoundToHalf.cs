using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>
/// Rounds to IEEE half precision (binary16): 11 significant bits, from 2⁻²⁴ ≈ 6·10⁻⁸ over 2⁻¹⁴, below which bits are lost, to
/// 65504.
/// </summary>
public readonly struct RoundToHalf : IRounding
{
    /// <summary>The largest finite number of the format: (2 − 2⁻¹⁰) · 2¹⁵.</summary>
    public const float Largest = 65504f;

    private const float SmallestNormal = 6.1035156e-5f; // 2⁻¹⁴

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T>
    {
        // 2¹³ times a number's power of two is as far from its neighbours as halves of that power are from theirs.
        T magnitude = T.Abs(x);
        T rounded = NearestMultiple.Of(magnitude, SmallestNormal, 8192f);
        return NearestMultiple.WithSign(x, T.Less(Largest, rounded, float.PositiveInfinity, rounded));
    }
}
