namespace Minigrad.Operations;

/// <summary>The decision that changes nothing.</summary>
public readonly struct NoClip : IClipDecision
{
    /// <inheritdoc/>
    public bool MayBound => false;

    /// <inheritdoc/>
    public double Common(double total) => 1.0;

    /// <inheritdoc/>
    public double Own(double norm) => 1.0;

    /// <inheritdoc/>
    public double Bound(double norm) => double.PositiveInfinity;
}
