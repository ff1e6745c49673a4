namespace Minigrad.Tests.Gpu;

/// <summary>How far a device may be from the CPU on the same inputs, and why that far.</summary>
/// <param name="Reason">Why it is not zero, or why it is.</param>
public abstract record ProgramTolerance(string Reason)
{
    /// <summary>2⁻²⁴, half of the last place of 1.</summary>
    public const double HalfUnit = 1.0 / (1 << 24);

    /// <summary>One unit in the last place; of a subnormal the smallest number there is.</summary>
    public static double Unit(float value) => float.IsFinite(value) ? (double)MathF.BitIncrement(MathF.Abs(value)) - MathF.Abs(value) : 0;

    /// <summary>The magnitude, or 0 of what has none.</summary>
    public static double Finite(float value) => float.IsFinite(value) ? Math.Abs((double)value) : 0;

    /// <summary>The same bits: numbers are moved, chosen or rounded once.</summary>
    public sealed record Exact(string Reason) : ProgramTolerance(Reason);

    /// <summary>A formula of each element.</summary>
    /// <param name="Value">The value, in units in its last place.</param>
    /// <param name="ValueOfInput">The value, besides, in 2⁻²⁴ of the first operand.</param>
    /// <param name="Slope">The gradient, in units in its last place.</param>
    /// <param name="SlopeOfGradient">The gradient, besides, in 2⁻²⁴ of the gradient that came.</param>
    /// <param name="Reason">Why.</param>
    public sealed record Elementwise(double Value, double ValueOfInput, double Slope, double SlopeOfGradient, string Reason)
        : ProgramTolerance(Reason)
    {
        /// <summary>How far a value may be off.</summary>
        /// <param name="expected">The CPU's.</param>
        /// <param name="first">The first operand.</param>
        public double OfValue(float expected, float first) => (Value * Unit(expected)) + (ValueOfInput * HalfUnit * Finite(first));

        /// <summary>How far the gradient of an operand may be off.</summary>
        /// <param name="expected">The CPU's.</param>
        /// <param name="first">The first operand.</param>
        /// <param name="gradient">The gradient that came.</param>
        public double OfSlope(float expected, float first, float gradient)
        {
            // A slope that is off by 1 may have either sign, and an infinite gradient with it. One that is subnormal is off by the
            // smallest number there is, which the gradient multiplies.
            double ofInput = ValueOfInput * HalfUnit * Finite(first);
            double unit = Math.Max(Unit(expected), float.Epsilon * Finite(gradient));
            return ofInput >= 1 && float.IsInfinity(gradient)
                ? double.PositiveInfinity
                : (Slope * unit) + (((SlopeOfGradient * HalfUnit) + ofInput) * Finite(gradient));
        }
    }

    /// <summary>A sum of n terms: 2n · 2⁻²⁴ of the sum of their magnitudes, what n roundings in any order can do on both sides.</summary>
    /// <param name="Terms">How many terms there are at most, of the operands' shapes.</param>
    /// <param name="Reason">Why.</param>
    public sealed record Sum(Func<Tensor[], int> Terms, string Reason) : ProgramTolerance(Reason);

    /// <summary>
    /// Sums inside of a formula: what the CPU itself gives for operands that are a few units in the last place off, several
    /// times, and a number of units in the last place of the result.
    /// </summary>
    /// <param name="Units">That number.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Terms">
    /// Where a part of the outcome (the value, the gradient of an operand) is made of rounded numbers that no change of the
    /// operands moves: their magnitudes, of operands, value, incoming gradient and number. Each is up to 4 units off, so 8 · 2⁻²⁴ of
    /// them are allowed besides.
    /// </param>
    public sealed record Conditioned(double Units, string Reason, Func<Tensor[], Tensor, Tensor, int, Tensor[]>? Terms = null)
        : ProgramTolerance(Reason);
}
