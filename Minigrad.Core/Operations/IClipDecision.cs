namespace Minigrad.Operations;

/// <summary>
/// What a clipping stage decides from norms: the formula alone, which the host applies to its lists and a device to its
/// memory. Each part has a value that changes nothing, 1 or an infinity, for a stage that does not have it.
/// </summary>
public interface IClipDecision
{
    /// <summary>Whether <see cref="Low"/> or <see cref="High"/> may ever be finite, so that a later stage has to look for it.</summary>
    bool MayBound { get; }

    /// <summary>Whether the threshold is compared with the norm of all gradients together, rather than with each one's own.</summary>
    bool IsCommon { get; }

    /// <summary>What is compared with the threshold.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="norm">The norm, as it is now: of all gradients together or of one.</param>
    /// <param name="size">How many elements that gradient has; 1 where all are together.</param>
    double Measure<TMath>(double norm, double size)
        where TMath : struct, IStepMath;

    /// <summary>
    /// What a rule is told of all gradients together: their norm where it is norms that are compared; else what is compared, since the
    /// two have no measure in common.
    /// </summary>
    /// <param name="measure">What is compared.</param>
    /// <param name="total">The norm of all gradients that the stage sees.</param>
    double Together(double measure, double total);

    /// <summary>The factor of what was compared: all gradients together, or one.</summary>
    /// <param name="measure">What was compared.</param>
    /// <param name="threshold">The threshold.</param>
    double Factor(double measure, double threshold);

    /// <summary>The smallest value that an element of one gradient may have.</summary>
    /// <param name="norm">The gradient's norm, as it is now.</param>
    /// <param name="threshold">The threshold.</param>
    double Low(double norm, double threshold);

    /// <summary>The largest value that an element of one gradient may have.</summary>
    /// <param name="norm">The gradient's norm, as it is now.</param>
    /// <param name="threshold">The threshold.</param>
    double High(double norm, double threshold);
}
