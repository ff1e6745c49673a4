namespace Minigrad.Operations;

/// <summary>
/// y = the number nearest to x in a format of fewer bits, of two that are as near the even one; beyond its range ±∞; NaN and
/// the sign of 0 stay. The slope is 1 where y is finite, as if nothing were rounded, and 0 where x overflows.
/// </summary>
/// <remarks>
/// An implementation takes a float32, whose own rounding it makes use of: over numbers of other precision, such as
/// <see cref="Numerics.Exact"/>, it is another function.
/// </remarks>
public interface IRounding : IUnaryOp
{
    /// <summary>Whether the format is the upper half of float32: in its numbers the lower 16 bits are 0, and need not be kept.</summary>
    static virtual bool IsUpperHalf => false;
}
