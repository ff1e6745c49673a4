using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>The bound c. No element exceeds the norm, so a bound that is not below it never acts and need not be applied.</summary>
/// <param name="bound">c.</param>
public readonly struct ValueDecision(double bound) : IClipDecision
{
    private readonly double bound = bound;

    /// <inheritdoc/>
    public bool MayBound => true;

    /// <inheritdoc/>
    public double Common(double total) => 1.0;

    /// <inheritdoc/>
    public double Own(double norm) => 1.0;

    /// <inheritdoc/>
    public double Bound(double norm)
    {
        if (double.IsNaN(norm))
        {
            return double.PositiveInfinity;
        }

        return norm > bound ? bound : double.PositiveInfinity;
    }
}
