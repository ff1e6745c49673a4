namespace Minigrad.Backends;

/// <summary>
/// What a deferred step did, as the device writes it. All are doubles, so that it is the same bytes on host and device.
/// </summary>
public struct StepRecord
{
    /// <summary>How many bad parameters are recorded by their place.</summary>
    public const int BadPlaces = 6;

    /// <summary>Which attempt at a step this was, from 1; each step that was asked for is one.</summary>
    public double Attempt;

    /// <summary>What became of it, a <see cref="StepOutcome"/>.</summary>
    public double Outcome;

    /// <summary>The L2 norm of all gradients before clipping.</summary>
    public double Norm;

    /// <summary>The L2 norm after clipping, before a bound that is pending.</summary>
    public double ClippedNorm;

    /// <summary>The product of the common factors.</summary>
    public double Coefficient;

    /// <summary>How many times a stage changed a gradient's scale; 0 if no stage acted.</summary>
    public double Scalings;

    /// <summary>How many gradients have a bound, after which the clipped norm is not known.</summary>
    public double Bounds;

    /// <summary>How many gradients may have elements that are read as 0 because they are too large, after which it is not known either.</summary>
    public double Zeroed;

    /// <summary>How many steps were made, this one included.</summary>
    public double StepCount;

    /// <summary>How many steps were skipped, this one included.</summary>
    public double SkippedSteps;

    /// <summary>How many steps in a row were skipped, up to this one.</summary>
    public double ConsecutiveSkips;

    /// <summary>The last attempt that stopped all later ones, 0 for none.</summary>
    public double StoppedAt;

    /// <summary>The loss scale in force.</summary>
    public double LossScale;

    /// <summary>The loss scale from then on.</summary>
    public double NextLossScale;

    /// <summary>How many good steps in a row count towards its growth, this one included.</summary>
    public double GoodSteps;

    /// <summary>How many gradients were bad.</summary>
    public double BadCount;

    /// <summary>The first bad parameter.</summary>
    public double Bad0;

    /// <summary>The second bad parameter.</summary>
    public double Bad1;

    /// <summary>The third bad parameter.</summary>
    public double Bad2;

    /// <summary>The fourth bad parameter.</summary>
    public double Bad3;

    /// <summary>The fifth bad parameter.</summary>
    public double Bad4;

    /// <summary>The sixth bad parameter.</summary>
    public double Bad5;

    /// <summary>The norm of the first bad gradient.</summary>
    public double BadNorm;

    /// <summary>The first element of the first bad gradient that is not finite.</summary>
    public double BadElement;

    /// <summary>Its value.</summary>
    public double BadValue;

    /// <summary>How many elements of the first bad gradient are not finite.</summary>
    public double BadElements;

    /// <summary>A bad parameter by its place among the bad ones, below <see cref="BadPlaces"/>.</summary>
    /// <param name="place">The place.</param>
    public readonly int Bad(int place) => (int)(place switch
    {
        0 => Bad0,
        1 => Bad1,
        2 => Bad2,
        3 => Bad3,
        4 => Bad4,
        _ => Bad5,
    });
}
