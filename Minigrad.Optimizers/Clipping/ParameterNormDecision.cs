using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>c / max(n, c) for each gradient by itself.</summary>
/// <param name="threshold">c.</param>
/// <param name="epsilon">Added to n before dividing.</param>
public readonly struct ParameterNormDecision(double threshold, double epsilon) : IClipDecision
{
    private readonly GlobalNormDecision decision = new(threshold, epsilon);

    /// <inheritdoc/>
    public bool MayBound => false;

    /// <inheritdoc/>
    public double Common(double total) => 1.0;

    /// <inheritdoc/>
    public double Own(double norm) => decision.Common(norm);

    /// <inheritdoc/>
    public double Bound(double norm) => double.PositiveInfinity;
}
