namespace Minigrad.Plots;

/// <summary>A named line of a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Its points in order of x. A point that is not finite leaves a gap, and one between two gaps is a dot.</param>
public sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>What the legend calls it.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string Name
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Name));
    } = Name ?? throw new ArgumentNullException(nameof(Name));

    /// <summary>Its points in order of x.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public IReadOnlyList<(double X, double Y)> Points
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Points));
    } = Points ?? throw new ArgumentNullException(nameof(Points));

    /// <summary>Checks that neither a list of series nor one of them is null.</summary>
    /// <param name="series">The list.</param>
    /// <param name="owner">The class whose property it is.</param>
    /// <param name="name">The property.</param>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentException">One of the series is null.</exception>
    internal static IReadOnlyList<Series> CheckAll(IReadOnlyList<Series> series, string owner, string name)
    {
        ArgumentNullException.ThrowIfNull(series, name);
        for (int i = 0; i < series.Count; i++)
        {
            if (series[i] is null)
            {
                throw new ArgumentException(
                    $"{owner}.{name}: series {i} of {series.Count} is null. Leave it out, or give new Series(name, points).", name);
            }
        }

        return series;
    }
}
