namespace Minigrad.Operations;

/// <summary>
/// What a clipping stage decides from norms: the formula alone, which the host applies to its lists and a device to its
/// memory. Each part has a value that changes nothing, 1 or +∞, for a stage that does not have it.
/// </summary>
public interface IClipDecision
{
    /// <summary>Whether <see cref="Bound"/> may ever be finite, so that a later stage has to look for it.</summary>
    bool MayBound { get; }

    /// <summary>The factor of all gradients together.</summary>
    /// <param name="total">The norm of all gradients together, as they are now.</param>
    double Common(double total);

    /// <summary>The factor of one gradient.</summary>
    /// <param name="norm">The gradient's norm, as it is now.</param>
    double Own(double norm);

    /// <summary>The largest magnitude that an element of one gradient may have.</summary>
    /// <param name="norm">The gradient's norm, as it is now.</param>
    double Bound(double norm);
}
