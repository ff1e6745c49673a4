namespace Minigrad.Plots;

/// <summary>A named line of a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Its points in order of x. A point that is not finite leaves a gap, and one between two gaps is a dot.</param>
public sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points);
