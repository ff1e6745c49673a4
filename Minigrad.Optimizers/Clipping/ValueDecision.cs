using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// The bounds low · c and high · c. No element exceeds the norm, so a bound that is not below it never acts and need not be
/// applied; a norm that is NaN says nothing of the elements that are numbers. Where the threshold is NaN there are no bounds,
/// and the factor makes all NaN: no large number passes as if it had been clamped.
/// </summary>
/// <param name="low">The lower bound for a threshold of 1, not above 0.</param>
/// <param name="high">The upper bound for a threshold of 1, not below 0.</param>
public readonly struct ValueDecision(double low, double high) : IClipDecision
{
    private readonly double low = low;
    private readonly double high = high;

    /// <inheritdoc/>
    public bool MayBound => true;

    /// <inheritdoc/>
    public bool IsCommon => true;

    /// <inheritdoc/>
    public double Measure<TMath>(double norm, double size)
        where TMath : struct, IStepMath => norm;

    /// <inheritdoc/>
    public double Together(double measure, double total) => total;

    /// <inheritdoc/>
    public double Factor(double measure, double threshold) => double.IsNaN(threshold) ? threshold : 1.0;

    /// <inheritdoc/>
    public double Low(double norm, double threshold) =>
        IsNeeded(norm, -low * threshold) ? low * threshold : double.NegativeInfinity;

    /// <inheritdoc/>
    public double High(double norm, double threshold) =>
        IsNeeded(norm, high * threshold) ? high * threshold : double.PositiveInfinity;

    private static bool IsNeeded(double norm, double bound)
    {
        // A device may take a comparison with NaN for true, so NaN is asked for before anything is compared.
        if (double.IsNaN(bound))
        {
            return false;
        }

        return double.IsNaN(norm) || norm > bound;
    }
}
