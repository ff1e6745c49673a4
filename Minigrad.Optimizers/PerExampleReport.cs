namespace Minigrad.Optimizers;

/// <summary>What <see cref="PerExampleClip"/> has measured.</summary>
/// <param name="Norms">The L2 norm of each example's gradient, all parameters together, before clipping.</param>
/// <param name="ClippedCount">How many examples were clipped.</param>
/// <param name="MeanLoss">The mean of the examples' losses.</param>
public sealed record PerExampleReport(IReadOnlyList<double> Norms, int ClippedCount, double MeanLoss)
{
    /// <summary>What was measured, in a line for a log.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"loss {MeanLoss:g4}, {ClippedCount} of {Norms.Count} examples clipped, largest norm {Norms.Max():g4}");
}
