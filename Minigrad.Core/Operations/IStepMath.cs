namespace Minigrad.Operations;

/// <summary>
/// The functions of double precision that what is decided once a step needs: the coefficient of a norm, the correction of
/// a bias. Such a formula is written once over this interface, and runs on the host (<see cref="SystemMath"/>) or, where
/// the host does not wait for the device, in a kernel.
/// </summary>
/// <remarks>
/// In such a formula use plain arithmetic and these functions, and ask <see cref="double.IsNaN"/> before comparing numbers
/// that may be NaN: some devices take the wrong branch.
/// </remarks>
public interface IStepMath
{
    /// <summary>xʸ of a number x that is not negative.</summary>
    /// <param name="x">The base.</param>
    /// <param name="y">The exponent.</param>
    static abstract double Power(double x, double y);

    /// <summary>√x.</summary>
    /// <param name="x">The number.</param>
    static abstract double SquareRoot(double x);
}
