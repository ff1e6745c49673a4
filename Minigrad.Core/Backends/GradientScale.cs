namespace Minigrad.Backends;

/// <summary>
/// What clipping has decided about one gradient but not yet written to memory: the update reads every element as
/// clamp(g · <see cref="First"/> · <see cref="Second"/> · unit factor, <see cref="Low"/>, <see cref="High"/>).
/// </summary>
/// <remarks>A coefficient too small for a float32 is applied in two factors. A NaN stays NaN.</remarks>
/// <param name="First">The first factor of the coefficient.</param>
/// <param name="Second">The second factor of the coefficient.</param>
/// <param name="Low">The smallest value an element may have, −∞ for none.</param>
/// <param name="High">The largest value an element may have, +∞ for none.</param>
public readonly record struct GradientScale(float First, float Second, float Low, float High)
{
    private const float SmallestNormal = 1.17549435e-38f;

    /// <summary>The scale that changes nothing.</summary>
    public static GradientScale One { get; } = new(1f, 1f, float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>
    /// Two factors for each unit, interleaved, or null: <c>[units, 2]</c>. Element i is of unit
    /// (i / <see cref="UnitLength"/>) mod <see cref="UnitCount"/>, which serves rows and columns.
    /// </summary>
    public Storage? UnitFactors { get; init; }

    /// <summary>How many consecutive elements are of one unit; read only with <see cref="UnitFactors"/>.</summary>
    public int UnitLength { get; init; }

    /// <summary>How many units there are; read only with <see cref="UnitFactors"/>.</summary>
    public int UnitCount { get; init; }

    /// <summary>Whether neighbours are of different units; asked only with <see cref="UnitFactors"/>.</summary>
    public bool HasColumns => UnitLength == 1 && UnitCount > 1;

    /// <summary>Whether elements are clamped.</summary>
    public bool HasBounds => !float.IsNegativeInfinity(Low) || !float.IsPositiveInfinity(High);

    /// <summary>Splits a coefficient into two float32 factors whose product is the coefficient to float32 precision.</summary>
    /// <remarks>Devices run it too, so it has no call that they do not know and asks for NaN first.</remarks>
    /// <param name="coefficient">A coefficient that is not negative.</param>
    public static (float First, float Second) Split(double coefficient)
    {
        float single = (float)coefficient;
        if (double.IsNaN(coefficient))
        {
            return (single, 1f);
        }

        if (coefficient == 0.0 || (single >= SmallestNormal && single <= float.MaxValue))
        {
            return (single, 1f);
        }

        // 2 to half of the exponent, rounded towards 0. (A device shifts where a signed number is divided by 2.)
        int exponent = (int)(BitConverter.DoubleToInt64Bits(coefficient) >> 52) - 1023;
        int half = exponent < 0 ? -(-exponent >> 1) : exponent >> 1;
        double first = BitConverter.Int64BitsToDouble((long)(half + 1023) << 52);
        return ((float)first, (float)(coefficient / first));
    }
}
