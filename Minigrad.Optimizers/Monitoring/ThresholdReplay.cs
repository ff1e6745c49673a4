namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// What a threshold would have done to the steps of a record, as far as the norms tell: after a clipped step the run would have
/// gone another way.
/// </summary>
/// <param name="Name">What the threshold is: <c>half the mean</c>, <c>p95</c>.</param>
/// <param name="Threshold">The threshold; of one that changes, the median of those in force.</param>
/// <param name="ClippedShare">Which part of the steps it would have clipped.</param>
/// <param name="MeanCoefficient">The mean of the coefficients c / max(n, c) over all steps.</param>
/// <param name="LargestNorm">The largest norm that it would have let through.</param>
public sealed record ThresholdReplay(string Name, double Threshold, double ClippedShare, double MeanCoefficient, double LargestNorm);
