namespace Minigrad.Operations;

/// <summary>What a stage that clips each output unit decides: the formula alone, as <see cref="IClipDecision"/>.</summary>
public interface IUnitDecision
{
    /// <summary>What is compared with the threshold.</summary>
    /// <param name="gradient">The norm of the unit's gradient, as it is now.</param>
    /// <param name="weight">The norm of the unit's weights.</param>
    double Measure(double gradient, double weight);

    /// <summary>The factor of a unit's gradient.</summary>
    /// <param name="measure">What was compared.</param>
    /// <param name="threshold">The threshold.</param>
    double Factor(double measure, double threshold);
}
