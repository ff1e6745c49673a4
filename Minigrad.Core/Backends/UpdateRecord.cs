namespace Minigrad.Backends;

/// <summary>What was measured of one parameter's update before it was made, and what followed, as a device writes it.</summary>
public struct UpdateRecord
{
    /// <summary>The size that was compared with the threshold.</summary>
    public double Size;

    /// <summary>The threshold.</summary>
    public double Threshold;

    /// <summary>Which part of that size was left.</summary>
    public double Coefficient;

    /// <summary>The threshold where it acts, +∞ where it leaves all as it is, and NaN for NaN.</summary>
    public readonly double ThresholdInForce => double.IsNaN(Coefficient)
        ? Coefficient
        : Coefficient < 1.0 ? Threshold : double.PositiveInfinity;
}
