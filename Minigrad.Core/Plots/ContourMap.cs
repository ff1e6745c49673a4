namespace Minigrad.Plots;

/// <summary>
/// The height of a function over a part of the plane, drawn as bands of grey between contour lines: the higher, the more opaque.
/// Where lines run together, it is steep.
/// </summary>
/// <param name="Label">What the height is, for the key.</param>
/// <param name="Heights">
/// [row, column], at least 2 × 2, at equal distances: row 0 lies at the low end of the vertical range, the last row at its
/// high end, and so with columns. NaN counts as lower than all levels; beside it, and beside an infinity, lines run through the
/// last heights that are finite.
/// </param>
/// <param name="Levels">The heights of the lines, from low to high. Powers of ten, or 1, 2 and 5 times them, give a logarithmic scale.</param>
public sealed record ContourMap(string Label, double[,] Heights, IReadOnlyList<double> Levels)
{
    /// <summary>What the height is, for the key.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string Label
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Label));
    } = Label ?? throw new ArgumentNullException(nameof(Label));

    /// <summary>[row, column], at equal distances.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public double[,] Heights
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Heights));
    } = Heights ?? throw new ArgumentNullException(nameof(Heights));

    /// <summary>The heights of the lines, from low to high.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public IReadOnlyList<double> Levels
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Levels));
    } = Levels ?? throw new ArgumentNullException(nameof(Levels));

    /// <exception cref="InvalidOperationException">There are too few heights, or the levels do not rise.</exception>
    internal void Check()
    {
        if (Heights.GetLength(0) < 2 || Heights.GetLength(1) < 2)
        {
            throw new InvalidOperationException(
                $"ContourMap '{Label}': the heights are {Heights.GetLength(0)} × {Heights.GetLength(1)}, and must be at least 2 × 2 to have something between them.");
        }

        for (int i = 0; i < Levels.Count; i++)
        {
            if (!double.IsFinite(Levels[i]) || (i > 0 && !(Levels[i] > Levels[i - 1])))
            {
                throw new InvalidOperationException(
                    $"ContourMap '{Label}': level {i} is {Levels[i]}{(i > 0 ? $" after {Levels[i - 1]}" : "")}. Levels must be finite and go from low to high.");
            }
        }
    }
}
