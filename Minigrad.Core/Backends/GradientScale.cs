namespace Minigrad.Backends;

/// <summary>
/// What clipping has decided about one gradient but not yet written to memory: the update reads every element as
/// clamp(g · <see cref="First"/> · <see cref="Second"/> · unit factor, ±<see cref="Bound"/>).
/// </summary>
/// <remarks>A coefficient too small for a float32 is applied in two factors. A NaN stays NaN.</remarks>
/// <param name="First">The first factor of the coefficient.</param>
/// <param name="Second">The second factor of the coefficient.</param>
/// <param name="Bound">The largest magnitude an element may have, +∞ for none.</param>
public readonly record struct GradientScale(float First, float Second, float Bound)
{
    /// <summary>The scale that changes nothing.</summary>
    public static GradientScale One { get; } = new(1f, 1f, float.PositiveInfinity);

    /// <summary>Two factors for each unit (row), interleaved, or null: <c>[units, 2]</c>.</summary>
    public Storage? UnitFactors { get; init; }

    /// <summary>How many consecutive elements make a unit; read only with <see cref="UnitFactors"/>.</summary>
    public int UnitLength { get; init; }

    /// <summary>Whether every element is read as it is.</summary>
    public bool IsIdentity => First == 1f && Second == 1f && float.IsPositiveInfinity(Bound) && UnitFactors is null;

    /// <summary>Splits a coefficient into two float32 factors whose product is the coefficient to float32 precision.</summary>
    /// <param name="coefficient">A finite coefficient, not negative.</param>
    public static (float First, float Second) Split(double coefficient)
    {
        float single = (float)coefficient;
        if (coefficient == 0 || (float.IsNormal(single) && float.IsFinite(single)))
        {
            return (single, 1f);
        }

        double first = Math.ScaleB(1, Math.ILogB(coefficient) / 2);
        return ((float)first, (float)(coefficient / first));
    }
}
