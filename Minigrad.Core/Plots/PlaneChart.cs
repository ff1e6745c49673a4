namespace Minigrad.Plots;

/// <summary>
/// A part of the plane as plain SVG: a shaded ground (a classifier's regions) or the contour lines of a height, points on it,
/// and paths across it. It needs no library, and is readable on a light and on a dark background.
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
    private const int Top = 46;
    private const int Bottom = 48;

    private const int LeastRight = 170;

    /// <summary>How opaque what lies above the highest contour line is.</summary>
    private const double HighestOpacity = 0.6;

    /// <summary>How many shaded cells there are in each direction.</summary>
    private const int Cells = 120;

    /// <summary>Opacities are rounded to so many steps, so that equal neighbours are drawn as one.</summary>
    private const int Levels = 12;

    private readonly string title = title ?? throw new ArgumentNullException(nameof(title));

    /// <summary>
    /// The ground: for a point of the plane the number of a colour, that of the series of the same number, and how opaque it
    /// is, from 0 to 1, where 0 is no shade. Null for none.
    /// </summary>
    public Func<double, double, (int Colour, double Opacity)>? Shade { get; init; }

    /// <summary>The height of a function as bands between contour lines. Null for none.</summary>
    public ContourMap? Contours { get; init; }

    /// <summary>Groups of points, each in a colour.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">One of the series is null.</exception>
    public IReadOnlyList<Series> Points
    {
        get;
        init => field = Series.CheckAll(value, nameof(PlaneChart), nameof(Points));
    } = [];

    /// <summary>
    /// Lines across the plane, each in a colour. The end of each is marked by a dot, and where one leaves the picture there is
    /// an arrowhead.
    /// </summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">One of the series is null.</exception>
    public IReadOnlyList<Series> Paths
    {
        get;
        init => field = Series.CheckAll(value, nameof(PlaneChart), nameof(Paths));
    } = [];

    /// <summary>What the horizontal axis shows.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string HorizontalLabel
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(HorizontalLabel));
    } = "x";

    /// <summary>What the vertical axis shows.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string VerticalLabel
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(VerticalLabel));
    } = "y";

    /// <summary>The chart as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">A range is empty or not finite, a shade has a negative colour, or the contour map has no heights or no rising levels.</exception>
    public string ToSvg()
    {
        if (!(x.High > x.Low && y.High > y.Low) || !double.IsFinite(x.High - x.Low) || !double.IsFinite(y.High - y.Low))
        {
            throw new InvalidOperationException(
                $"PlaneChart: the ranges ({x.Low}, {x.High}) and ({y.Low}, {y.High}) must each go from a smaller to a larger finite number.");
        }

        int right = Drawing.LegendWidth(LeastRight, Paths.Concat(Points));
        Drawing drawing = new(Left + Side + right, Top + Side + Bottom, title, Left);
        Axis across = Axis.Between(x.Low, x.High, Left, Left + Side);
        Axis up = Axis.Between(y.Low, y.High, Top + Side, Top);
        if (Shade is not null)
        {
            DrawShade(drawing, Shade);
        }

        if (Contours is not null)
        {
            Contours.Check();
            DrawContours(drawing, across, up, Contours);
        }

        drawing.Frame(Left, Top, Side, Side, across, up, VerticalLabel, HorizontalLabel);
        int row = 0;
        for (int path = 0; path < Paths.Count; path++)
        {
            DrawPath(drawing, across, up, path);
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

    /// <summary>Draws what of a path is inside, cut at the edge.</summary>
    private void DrawPath(Drawing drawing, Axis across, Axis up, int path)
    {
        IReadOnlyList<(double X, double Y)> points = Paths[path].Points;
        List<(double X, double Y)> line = [];
        List<((double X, double Y) Point, (double X, double Y) Direction)> exits = [];
        for (int i = 0; i < points.Count - 1; i++)
        {
            if (Inside(points[i], points[i + 1]) is not { } part)
            {
                continue;
            }

            if (line.Count == 0 || line[^1] != part.From)
            {
                line.Add((double.NaN, double.NaN));
                line.Add(part.From);
            }

            line.Add(part.To);
            if (!IsInside(points[i + 1]))
            {
                // What of the line is inside may be too short to have a direction.
                exits.Add((part.To, (points[i + 1].X - points[i].X, points[i + 1].Y - points[i].Y)));
            }
        }

        drawing.Line(line, across, up, path, hasHalo: Shade is not null || Contours is not null);
        exits.ForEach(exit => drawing.Arrowhead(exit.Point, exit.Direction, across, up, path));
        drawing.Dots(points.TakeLast(1).Where(IsInside), across, up, path, 4.5);
    }

    /// <summary>The part of a line that is inside (Liang and Barsky, 1984); null if there is none, it is a point, or an end is not finite.</summary>
    private ((double X, double Y) From, (double X, double Y) To)? Inside((double X, double Y) from, (double X, double Y) to)
    {
        (double first, double last) = (0, 1);
        (double alongX, double alongY) = (to.X - from.X, to.Y - from.Y);
        if (!double.IsFinite(alongX) || !double.IsFinite(alongY))
        {
            return null;
        }

        ReadOnlySpan<(double Along, double Room)> edges =
            [(-alongX, from.X - x.Low), (alongX, x.High - from.X), (-alongY, from.Y - y.Low), (alongY, y.High - from.Y)];
        foreach ((double along, double room) in edges)
        {
            if (along < 0)
            {
                first = Math.Max(first, room / along);
            }
            else if (along > 0)
            {
                last = Math.Min(last, room / along);
            }
            else if (room < 0)
            {
                return null;
            }
        }

        return first < last
            ? (first == 0 ? from : At(first), last == 1 ? to : At(last))
            : null;

        // Rounding must not put what lies on an edge beyond it.
        (double X, double Y) At(double part) =>
            (Math.Clamp(from.X + (part * alongX), x.Low, x.High), Math.Clamp(from.Y + (part * alongY), y.Low, y.High));
    }

    /// <summary>Each level's area lies over those of the levels below, so what is high is opaque, and edges stay smooth.</summary>
    private void DrawContours(Drawing drawing, Axis across, Axis up, ContourMap map)
    {
        // Of equally opaque areas above one another each lets the same part of the ground through.
        double passing = Math.Pow(1 - HighestOpacity, 1.0 / map.Levels.Count);
        double stepX = (x.High - x.Low) / (map.Heights.GetLength(1) - 1);
        double stepY = (y.High - y.Low) / (map.Heights.GetLength(0) - 1);
        foreach (double level in map.Levels)
        {
            // The last point is the end of the range, not what rounding makes of it.
            List<List<(double X, double Y)>> rings = new ContourTracer(map.Heights, level).Rings().ConvertAll(ring =>
                ring.ConvertAll(point => (
                    point.Column == map.Heights.GetLength(1) - 1 ? x.High : x.Low + (point.Column * stepX),
                    point.Row == map.Heights.GetLength(0) - 1 ? y.High : y.Low + (point.Row * stepY))));
            drawing.Rings(rings, across, up, 1 - passing);
        }

        drawing.Key(Left + Side + 12, Top + Side, Side - Drawing.LegendHeight(Paths.Count + Points.Count), map.Label, map.Levels, band => 1 - Math.Pow(passing, band));
    }

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
                    double across = x.Low + ((column + 0.5) / Cells * (x.High - x.Low));
                    (int colour, double opacity) = shade(across, height);
                    here = (colour, double.IsFinite(opacity) ? (int)Math.Round(Math.Clamp(opacity, 0, 1) * Levels) : 0);
                    if (here is { Colour: < 0, Level: > 0 })
                    {
                        throw new InvalidOperationException(
                            $"PlaneChart: Shade gave colour {colour} at ({across}, {height}). Colours are counted from 0, as the series are; for no shade give the opacity 0.");
                    }
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
