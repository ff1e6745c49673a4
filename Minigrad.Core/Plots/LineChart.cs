namespace Minigrad.Plots;

/// <summary>
/// Curves as plain SVG: panels that share a horizontal axis or have their own, one above another or side by side. It needs no library, and
/// is readable on a light and on a dark background.
/// </summary>
/// <param name="title">The heading.</param>
/// <param name="horizontalLabel">What the horizontal axis shows.</param>
/// <param name="panels">The diagrams, from top to bottom, or row by row if there are several columns.</param>
/// <example>
/// <code>
/// new LineChart("Training", "step", new Panel("loss", [new Series("train", losses)])).Save("curve.svg");
/// </code>
/// </example>
public sealed class LineChart(string title, string horizontalLabel, params IReadOnlyList<Panel> panels)
{
    private const int PanelHeight = 220;
    private const int Left = 78;
    private const int LeastRight = 176;
    private const int Top = 46;
    private const int Gap = 26;
    private const int Bottom = 48;
    private const double MarkRadius = 2.2;

    private readonly string title = title ?? throw new ArgumentNullException(nameof(title));
    private readonly string horizontalLabel = horizontalLabel ?? throw new ArgumentNullException(nameof(horizontalLabel));
    private readonly IReadOnlyList<Panel> panels = CheckAll(panels);

    /// <summary>How many panels stand side by side; those of one row share their vertical range, so that they can be compared.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int ColumnCount
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(ColumnCount));
            field = value;
        }
    } = 1;

    private int PanelWidth => ColumnCount == 1 ? 532 : 340;

    /// <summary>The chart as an SVG document. A panel of which no line has a point that can be drawn says so.</summary>
    /// <exception cref="InvalidOperationException">No panel has a line with a point that can be drawn, or values lie too far apart.</exception>
    public string ToSvg()
    {
        if (!panels.Any(HasPoint))
        {
            throw new InvalidOperationException(
                $"There is nothing to draw: '{title}' has no finite value in any of its {panels.Count} panels; on a logarithmic axis, no positive one. Was anything recorded?");
        }

        int rows = (panels.Count + ColumnCount - 1) / ColumnCount;
        int cellWidth = Left + PanelWidth + Drawing.LegendWidth(LeastRight, panels.SelectMany(panel => panel.Series.Concat(panel.Marks)));
        int gap = panels.Any(panel => panel.HorizontalLabel is not null) ? Bottom + Gap : Gap;
        Drawing drawing = new(ColumnCount * cellWidth, Top + (rows * (PanelHeight + gap)) - gap + Bottom, title, Left);
        for (int place = 0; place < panels.Count; place++)
        {
            int row = place / ColumnCount;
            int left = ((place % ColumnCount) * cellWidth) + Left;
            int top = Top + (row * (PanelHeight + gap));
            Panel panel = panels[place];
            IEnumerable<Panel> rowPanels = panels.Skip(row * ColumnCount).Take(ColumnCount);
            bool isOwn = panel.HorizontalLabel is not null;
            IEnumerable<Panel> sharing = isOwn ? [panel] : panels.Where(other => other.HorizontalLabel is null);
            Axis? x = Axis.TryAround(
                Points(sharing).Select(point => point.X), panel.HorizontalLabel ?? horizontalLabel, left, left + PanelWidth, isOwn && panel.IsHorizontalLogarithmic);
            Axis? y = Axis.TryAround(Points(rowPanels).Select(point => point.Y), panel.Label, top + PanelHeight, top, panel.IsLogarithmic);
            drawing.Frame(left, top, PanelWidth, PanelHeight, x, y, panel.Label, isOwn ? panel.HorizontalLabel : place + ColumnCount >= panels.Count ? horizontalLabel : null);
            if (x is null || y is null || !HasPoint(panel))
            {
                drawing.Label(left + 12, top + 22, "no finite value");
                continue;
            }

            for (int line = 0; line < panel.Series.Count; line++)
            {
                drawing.Line(panel.Series[line].Points, x, y, line);
                drawing.Legend(left + PanelWidth + 12, top, line, panel.Series[line].Name, line);
            }

            for (int mark = 0; mark < panel.Marks.Count; mark++)
            {
                int colour = panel.Series.Count + mark;
                drawing.Dots(panel.Marks[mark].Points, x, y, colour, MarkRadius);
                drawing.Legend(left + PanelWidth + 12, top, colour, panel.Marks[mark].Name, colour, isDot: true);
            }
        }

        return drawing.Finish();
    }

    /// <summary>Writes the chart to a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path) => File.WriteAllText(path, ToSvg());

    private static IReadOnlyList<Panel> CheckAll(IReadOnlyList<Panel> panels)
    {
        ArgumentNullException.ThrowIfNull(panels);
        for (int i = 0; i < panels.Count; i++)
        {
            if (panels[i] is null)
            {
                throw new ArgumentException(
                    $"LineChart: panel {i} of {panels.Count} is null. Leave it out, or give new Panel(label, series).", nameof(panels));
            }
        }

        return panels;
    }

    private static bool HasPoint(Panel panel) => Points([panel]).Any(point =>
        Axis.CanShow(point.X, panel.HorizontalLabel is not null && panel.IsHorizontalLogarithmic) && Axis.CanShow(point.Y, panel.IsLogarithmic));

    private static IEnumerable<(double X, double Y)> Points(IEnumerable<Panel> some) =>
        some.SelectMany(panel => panel.Series.Concat(panel.Marks)).SelectMany(series => series.Points);
}
