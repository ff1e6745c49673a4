namespace Minigrad.Plots;

/// <summary>
/// A part of the plane as plain SVG: a shaded ground (a classifier's regions, the height of a function), points on it, and
/// paths across it. It needs no library, and is readable on a light and on a dark background.
/// </summary>
/// <param name="title">The heading.</param>
/// <param name="x">The range of the horizontal axis.</param>
/// <param name="y">The range of the vertical axis.</param>
/// <example>
/// <code>
/// new PlaneChart("Two moons", (-2, 3), (-1.5, 2)) { Points = [new Series("left", left), new Series("right", right)] }.Save("moons.svg");
/// </code>
/// </example>
public sealed class PlaneChart(string title, (double Low, double High) x, (double Low, double High) y)
{
    private const int Side = 480;
    private const int Left = 78;
    private const int Right = 170;
    private const int Top = 46;
    private const int Bottom = 48;

    /// <summary>How many shaded cells there are in each direction.</summary>
    private const int Cells = 120;

    /// <summary>Opacities are rounded to so many steps, so that equal neighbours are drawn as one.</summary>
    private const int Levels = 12;

    /// <summary>
    /// The ground: for a point of the plane the number of a colour, that of the series of the same number, and how opaque it
    /// is, from 0 to 1. Null for none.
    /// </summary>
    public Func<double, double, (int Colour, double Opacity)>? Shade { get; init; }

    /// <summary>Groups of points, each in a colour.</summary>
    public IReadOnlyList<Series> Points { get; init; } = [];

    /// <summary>Lines across the plane, each in a colour; the end of each is marked.</summary>
    public IReadOnlyList<Series> Paths { get; init; } = [];

    /// <summary>What the horizontal axis shows.</summary>
    public string HorizontalLabel { get; init; } = "x";

    /// <summary>What the vertical axis shows.</summary>
    public string VerticalLabel { get; init; } = "y";

    /// <summary>The chart as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">A range is empty or not finite.</exception>
    public string ToSvg()
    {
        if (!(x.High > x.Low && y.High > y.Low) || !double.IsFinite(x.High - x.Low) || !double.IsFinite(y.High - y.Low))
        {
            throw new InvalidOperationException(
                $"PlaneChart: the ranges ({x.Low}, {x.High}) and ({y.Low}, {y.High}) must each go from a smaller to a larger finite number.");
        }

        Drawing drawing = new(Left + Side + Right, Top + Side + Bottom, title, Left);
        Axis across = Axis.Between(x.Low, x.High, Left, Left + Side);
        Axis up = Axis.Between(y.Low, y.High, Top + Side, Top);
        if (Shade is not null)
        {
            DrawShade(drawing, Shade);
        }

        drawing.Frame(Left, Top, Side, Side, across, up, VerticalLabel, HorizontalLabel);
        int row = 0;
        for (int path = 0; path < Paths.Count; path++)
        {
            (double X, double Y)[] inside = [.. Paths[path].Points.Select(point => IsInside(point) ? point : (double.NaN, double.NaN))];
            drawing.Line(inside, across, up, path);
            drawing.Dots(inside.TakeLast(1), across, up, path, 4.5);
            drawing.Legend(Left + Side + 12, Top, row++, Paths[path].Name, path);
        }

        for (int group = 0; group < Points.Count; group++)
        {
            drawing.Dots(Points[group].Points.Where(IsInside), across, up, group, 2.6);
            drawing.Legend(Left + Side + 12, Top, row++, Points[group].Name, group, isDot: true);
        }

        return drawing.Finish();
    }

    /// <summary>Writes the chart to a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path) => File.WriteAllText(path, ToSvg());

    private bool IsInside((double X, double Y) point) =>
        point.X >= x.Low && point.X <= x.High && point.Y >= y.Low && point.Y <= y.High;

    private void DrawShade(Drawing drawing, Func<double, double, (int Colour, double Opacity)> shade)
    {
        const double Size = (double)Side / Cells;
        for (int row = 0; row < Cells; row++)
        {
            double height = y.High - ((row + 0.5) / Cells * (y.High - y.Low));
            (int Colour, int Level) before = default;
            int start = 0;
            for (int column = 0; column <= Cells; column++)
            {
                (int Colour, int Level) here = (-1, 0);
                if (column < Cells)
                {
                    (int colour, double opacity) = shade(x.Low + ((column + 0.5) / Cells * (x.High - x.Low)), height);
                    here = (colour, double.IsFinite(opacity) ? (int)Math.Round(Math.Clamp(opacity, 0, 1) * Levels) : 0);
                }

                if (column > 0 && here != before)
                {
                    if (before.Level > 0)
                    {
                        drawing.Area(
                            Left + (start * Size), Top + (row * Size), (column - start) * Size, Size, before.Colour, (double)before.Level / Levels);
                    }

                    start = column;
                }

                before = here;
            }
        }
    }
}
