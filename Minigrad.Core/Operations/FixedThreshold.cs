namespace Minigrad.Operations;

/// <summary>A threshold that does not depend on norms.</summary>
/// <param name="threshold">c.</param>
public readonly struct FixedThreshold(double threshold) : IThresholdRule
{
    private readonly double threshold = threshold;

    /// <inheritdoc/>
    public int MemoryLength => 0;

    /// <inheritdoc/>
    public double Threshold<TMath, TMemory>(double norm, double total, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory => threshold;

    /// <inheritdoc/>
    public void Observe<TMath, TMemory>(double norm, double threshold, TMemory memory)
        where TMath : struct, IStepMath
        where TMemory : struct, IThresholdMemory
    {
    }
}
