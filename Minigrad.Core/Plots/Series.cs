namespace Minigrad.Plots;

/// <summary>A named line of a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Its points in order of x. A point that is not finite leaves a gap, and one between two gaps is a dot.</param>
public sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>What the legend calls it.</summary>
    public string Name { get; init; } = Name ?? throw new ArgumentNullException(nameof(Name));

    /// <summary>Its points in order of x.</summary>
    public IReadOnlyList<(double X, double Y)> Points { get; init; } = Points ?? throw new ArgumentNullException(nameof(Points));
}
