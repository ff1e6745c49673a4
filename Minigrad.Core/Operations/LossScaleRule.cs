namespace Minigrad.Operations;

/// <summary>
/// What becomes of a dynamic loss scale after a step (Micikevicius et al., 2017, arXiv:1710.03740): the formula alone, which
/// the host applies to its numbers and a device to its own. The default is a scale that stays.
/// </summary>
/// <param name="growthFactor">What the scale is multiplied by to grow, above 1.</param>
/// <param name="backoffFactor">What the scale is multiplied by after an overflow, between 0 and 1.</param>
/// <param name="growthInterval">After how many good steps in a row it grows; 0 for a scale that stays.</param>
/// <param name="maximum">What it never exceeds.</param>
public readonly struct LossScaleRule(double growthFactor, double backoffFactor, double growthInterval, double maximum)
{
    private readonly double growthFactor = growthFactor;
    private readonly double backoffFactor = backoffFactor;
    private readonly double growthInterval = growthInterval;
    private readonly double maximum = maximum;

    /// <summary>Whether the scale changes at all.</summary>
    public bool IsDynamic => growthInterval > 0.0;

    /// <summary>The scale after an overflow: lower, but never below 1.</summary>
    /// <param name="scale">The scale that was in force.</param>
    public double AfterOverflow(double scale)
    {
        double lower = (float)(scale * backoffFactor);
        return lower > 1.0 ? lower : 1.0;
    }

    /// <summary>The scale after a step that was made: higher after enough of them, but never above the maximum.</summary>
    /// <param name="scale">The scale that was in force.</param>
    /// <param name="goodSteps">How many good steps there were in a row; counted on, and begun anew where the scale grows.</param>
    public double AfterStep(double scale, ref double goodSteps)
    {
        goodSteps += 1.0;
        if (goodSteps < growthInterval)
        {
            return scale;
        }

        goodSteps = 0.0;
        double higher = (float)(scale * growthFactor);
        return higher < maximum ? higher : maximum;
    }
}
