using System.Runtime.CompilerServices;
using Minigrad.Numerics;

namespace Minigrad.Operations;

/// <summary>Rounds to bfloat16: 8 significant bits, and the range of float32.</summary>
public readonly struct RoundToBFloat16 : IRounding
{
    /// <summary>The largest finite number of the format: (2 − 2⁻⁷) · 2¹²⁷ ≈ 3.39·10³⁸.</summary>
    public const float Largest = 3.3895314e38f;

    private const float SmallestNormal = 1.17549435e-38f; // 2⁻¹²⁶
    private const float Down = 1.17549435e-38f; // 2⁻¹²⁶
    private const float Up = 8.507059e37f; // 2¹²⁶

    /// <inheritdoc/>
    public static bool IsUpperHalf => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Forward<T>(T x)
        where T : struct, IReal<T>
    {
        // Numbers from 2 on are rounded as 2⁻¹²⁶ of them, where there is room above; going back overflows as it should.
        T magnitude = T.Abs(x);
        T low = NearestMultiple.Of(T.Less(magnitude, 2f, magnitude, Down * magnitude), SmallestNormal, 65536f);
        return NearestMultiple.WithSign(x, T.Less(magnitude, 2f, low, Up * low));
    }
}
