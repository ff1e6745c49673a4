namespace Minigrad.Operations;

/// <summary>The decision that changes nothing.</summary>
public readonly struct NoClip : IClipDecision
{
    /// <inheritdoc/>
    public bool MayBound => false;

    /// <inheritdoc/>
    public bool IsCommon => true;

    /// <inheritdoc/>
    public double Measure<TMath>(double norm, double size)
        where TMath : struct, IStepMath => norm;

    /// <inheritdoc/>
    public double Together(double measure, double total) => total;

    /// <inheritdoc/>
    public double Factor(double measure, double threshold) => 1.0;

    /// <inheritdoc/>
    public double Low(double norm, double threshold) => double.NegativeInfinity;

    /// <inheritdoc/>
    public double High(double norm, double threshold) => double.PositiveInfinity;
}
