using System.Globalization;
using System.Security;
using System.Text;

namespace Minigrad.Plots;

/// <summary>
/// Curves as plain SVG: panels one above another that share a horizontal axis. It needs no library, and is readable on a
/// light and on a dark background.
/// </summary>
/// <param name="title">The heading.</param>
/// <param name="horizontalLabel">What the horizontal axis shows.</param>
/// <param name="panels">The diagrams, from top to bottom.</param>
/// <example>
/// <code>
/// new LineChart("Training", "step", new Panel("loss", [new Series("train", losses)])).Save("curve.svg");
/// </code>
/// </example>
public sealed class LineChart(string title, string horizontalLabel, params IReadOnlyList<Panel> panels)
{
    private const int Width = 760;
    private const int PanelHeight = 220;
    private const int Left = 78;
    private const int Right = 150;
    private const int Top = 46;
    private const int Gap = 26;
    private const int Bottom = 48;

    /// <summary>Colours that differ for the colour-blind too (Okabe and Ito, 2008), dark enough for paper and bright enough for night.</summary>
    private static readonly string[] Colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9"];

    /// <summary>The chart as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">No line has a point that can be drawn.</exception>
    public string ToSvg()
    {
        (double Low, double High) x = HorizontalRange();
        int height = Top + (panels.Count * (PanelHeight + Gap)) - Gap + Bottom;
        StringBuilder svg = new();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12">""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title>");
        svg.AppendLine("<style>svg{background:#fff;color:#222}@media(prefers-color-scheme:dark){svg{background:#16181d;color:#ddd}}text{fill:currentColor}.grid{stroke:currentColor;stroke-opacity:.16}.frame{stroke:currentColor;stroke-opacity:.5;fill:none}path{fill:none;stroke-width:1.4;stroke-linejoin:round}</style>");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Left}" y="26" font-size="16" font-weight="600">{Escape(title)}</text>""");
        for (int panel = 0; panel < panels.Count; panel++)
        {
            DrawPanel(svg, panels[panel], Top + (panel * (PanelHeight + Gap)), x);
        }

        int axis = height - Bottom;
        foreach (double tick in Ticks(x.Low, x.High, 8))
        {
            double place = Place(tick, x, Left, Width - Right);
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{place:0.#}" y="{axis + 17}" text-anchor="middle">{Number(tick)}</text>""");
        }

        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{(Left + Width - Right) / 2}" y="{axis + 36}" text-anchor="middle">{Escape(horizontalLabel)}</text>""");
        return svg.AppendLine("</svg>").ToString();
    }

    /// <summary>Writes the chart to a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path) => File.WriteAllText(path, ToSvg());

    private static void DrawPanel(StringBuilder svg, Panel panel, int top, (double Low, double High) x)
    {
        (double Low, double High) y = VerticalRange(panel);
        int bottom = top + PanelHeight;
        foreach (double tick in panel.IsLogarithmic ? LogarithmicTicks(y.Low, y.High) : Ticks(y.Low, y.High, 5))
        {
            double place = Place(tick, y, bottom, top);
            string label = Number(panel.IsLogarithmic ? Math.Pow(10, tick) : tick);
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{place:0.#}" y2="{place:0.#}"/><text x="{Left - 7}" y="{place + 4:0.#}" text-anchor="end">{label}</text>""");
        }

        foreach (double tick in Ticks(x.Low, x.High, 8))
        {
            double place = Place(tick, x, Left, Width - Right);
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{place:0.#}" x2="{place:0.#}" y1="{top}" y2="{bottom}"/>""");
        }

        svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect class="frame" x="{Left}" y="{top}" width="{Width - Right - Left}" height="{PanelHeight}"/>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text transform="translate(16 {(top + bottom) / 2}) rotate(-90)" text-anchor="middle">{Escape(panel.Label)}</text>""");
        for (int line = 0; line < panel.Series.Count; line++)
        {
            string colour = Colours[line % Colours.Length];
            int legend = top + 14 + (line * 19);
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<path stroke="{colour}" d="{Line(panel, panel.Series[line], x, y, top, bottom)}"/>""");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<path stroke="{colour}" d="M{Width - Right + 12} {legend - 4}h18"/><text x="{Width - Right + 36}" y="{legend}">{Escape(panel.Series[line].Name)}</text>""");
        }
    }

    private static string Line(
        Panel panel, Series series, (double Low, double High) x, (double Low, double High) y, int top, int bottom)
    {
        StringBuilder path = new();
        bool isDrawing = false;
        foreach ((double pointX, double pointY) in series.Points)
        {
            double value = Value(panel, pointY);
            if (!double.IsFinite(value) || !double.IsFinite(pointX))
            {
                isDrawing = false;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(isDrawing ? 'L' : 'M')}{Place(pointX, x, Left, Width - Right):0.#} {Place(value, y, bottom, top):0.#}");
            isDrawing = true;
        }

        return path.ToString();
    }

    /// <summary>What the vertical place is proportional to.</summary>
    private static double Value(Panel panel, double y) => panel.IsLogarithmic ? (y > 0 ? Math.Log10(y) : double.NaN) : y;

    private static (double Low, double High) VerticalRange(Panel panel) =>
        Range(panel.Series.SelectMany(series => series.Points).Select(point => Value(panel, point.Y)), panel.Label);

    private (double Low, double High) HorizontalRange() =>
        Range(panels.SelectMany(panel => panel.Series).SelectMany(series => series.Points).Select(point => point.X), horizontalLabel);

    private static (double Low, double High) Range(IEnumerable<double> values, string what)
    {
        List<double> finite = [.. values.Where(double.IsFinite)];
        if (finite.Count == 0)
        {
            throw new InvalidOperationException($"There is nothing to draw: '{what}' has no finite value. Was anything recorded?");
        }

        (double low, double high) = (finite.Min(), finite.Max());
        double margin = high > low ? 0 : Math.Max(1e-3, Math.Abs(high) * 0.05);
        return (low - margin, high + margin);
    }

    private static double Place(double value, (double Low, double High) range, double from, double to) =>
        from + ((value - range.Low) / (range.High - range.Low) * (to - from));

    /// <summary>Round numbers, 1, 2 or 5 times a power of ten apart.</summary>
    private static IEnumerable<double> Ticks(double low, double high, int count)
    {
        double raw = (high - low) / count;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        for (double tick = Math.Ceiling((low / step) - 1e-9) * step; tick <= high + (1e-9 * step); tick += step)
        {
            yield return Math.Abs(tick) < 1e-12 * step ? 0 : tick;
        }
    }

    /// <summary>The logarithms of powers of ten, and of 2 and 5 times them where few fit.</summary>
    private static IEnumerable<double> LogarithmicTicks(double low, double high)
    {
        double[] factors = high - low > 3 ? [1] : [1, 2, 5];
        for (int exponent = (int)Math.Floor(low); exponent <= high; exponent++)
        {
            foreach (double factor in factors)
            {
                double tick = exponent + Math.Log10(factor);
                if (tick >= low && tick <= high)
                {
                    yield return tick;
                }
            }
        }
    }

    private static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e5 or < 1e-3 => value.ToString("0.#e+0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) => SecurityElement.Escape(text);
}
