using System.Globalization;
using System.Security;
using System.Text;

namespace Minigrad.Plots;

/// <summary>What charts are drawn with: an SVG document with a heading, readable on a light and on a dark background.</summary>
internal sealed class Drawing
{
    /// <summary>Colours that differ for the colour-blind too (Okabe and Ito, 2008), dark enough for paper and bright enough for night.</summary>
    private static readonly string[] Colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9"];

    /// <summary>What the lines are broken by that come when all colours have been used: once, twice, and more often.</summary>
    private static readonly string[] Dashes = ["", "7 3", "2 3", "7 3 2 3"];

    private const int LegendRow = 19;

    private readonly StringBuilder svg = new();

    /// <summary>An empty drawing.</summary>
    public Drawing(int width, int height, string title, double left)
    {
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12">""");
        Add($"<title>{Escape(title)}</title>");
        Add($"<style>svg{{background:#fff;color:#222}}text{{fill:currentColor}}.grid{{stroke:currentColor;stroke-opacity:.16}}.frame{{stroke:currentColor;stroke-opacity:.5;fill:none}}path{{fill:none;stroke-width:1.4;stroke-linejoin:round}}.bold{{stroke-width:2}}.contour{{stroke:currentColor;stroke-opacity:.3;stroke-width:.6}}.halo{{stroke:#fff;stroke-opacity:.7;stroke-width:5}}@media(prefers-color-scheme:dark){{svg{{background:#16181d;color:#ddd}}.halo{{stroke:#16181d}}}}</style>");
        Add($"""<text x="{left:0.#}" y="26" font-size="16" font-weight="600">{Escape(title)}</text>""");
    }

    /// <summary>The colour of a line or a class by its number.</summary>
    public static string Colour(int number) => Colours[number % Colours.Length];

    /// <summary>About how wide a text is in a font that is not known: letters of most alphabets, capitals, wide ones, and those as wide as high.</summary>
    public static double TextWidth(string text) => text.EnumerateRunes().Sum(rune => rune.Value switch
    {
        >= 0x2E80 => 12.5,
        'W' or 'M' or '@' or '%' => 11,
        >= 'A' and <= 'Z' => 8.5,
        _ => 6.8,
    });

    /// <summary>The finished document.</summary>
    public string Finish() => svg.Append("</svg>\n").ToString();

    /// <summary>A frame with grid lines, labelled at the left and, if asked, below.</summary>
    public void Frame(double left, double top, double width, double height, Axis? x, Axis? y, string label, string? below)
    {
        foreach ((double place, string text) in y?.Ticks(5) ?? [])
        {
            Add($"""<line class="grid" x1="{left:0.#}" x2="{left + width:0.#}" y1="{place:0.#}" y2="{place:0.#}"/><text x="{left - 7:0.#}" y="{place + 4:0.#}" text-anchor="end">{text}</text>""");
        }

        Base(left, top, width, height, x, below);
        Add($"""<text transform="translate({left - 62:0.#} {top + (height / 2):0.#}) rotate(-90)" text-anchor="middle">{Escape(label)}</text>""");
    }

    /// <summary>A frame with vertical grid lines, labelled below if asked.</summary>
    public void Base(double left, double top, double width, double height, Axis? x, string? below)
    {
        foreach ((double place, string text) in x?.Ticks(width > 400 ? 8 : 4) ?? [])
        {
            Add($"""<line class="grid" x1="{place:0.#}" x2="{place:0.#}" y1="{top:0.#}" y2="{top + height:0.#}"/>""");
            if (below is not null)
            {
                Add($"""<text x="{place:0.#}" y="{top + height + 17:0.#}" text-anchor="middle">{text}</text>""");
            }
        }

        Add($"""<rect class="frame" x="{left:0.#}" y="{top:0.#}" width="{width:0.#}" height="{height:0.#}"/>""");
        if (below is not null)
        {
            Add($"""<text x="{left + (width / 2):0.#}" y="{top + height + 36:0.#}" text-anchor="middle">{Escape(below)}</text>""");
        }
    }

    /// <summary>
    /// A line through points; one that cannot be shown leaves a gap, and one between two gaps is a dot. A halo sets the line off
    /// from a shaded ground.
    /// </summary>
    public void Line(IEnumerable<(double X, double Y)> points, Axis x, Axis y, int colour, bool hasHalo = false)
    {
        StringBuilder path = new();
        List<(double Across, double Down)> alone = [];
        (double Across, double Down) before = default;
        int length = 0;
        foreach ((double pointX, double pointY) in points.Append((double.NaN, double.NaN)))
        {
            (double across, double down) = (x.Place(pointX), y.Place(pointY));
            if (!double.IsFinite(across) || !double.IsFinite(down))
            {
                if (length == 1)
                {
                    alone.Add(before);
                }

                length = 0;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(length > 0 ? 'L' : 'M')}{across:0.#} {down:0.#}");
            before = (across, down);
            length++;
        }

        if (hasHalo)
        {
            Add($"""<path class="halo" d="{path}"/>""");
        }

        Add($"""<path stroke="{Colour(colour)}"{Dash(colour)}{(hasHalo ? " class=\"bold\"" : "")} d="{path}"/>""");
        foreach ((double across, double down) in alone)
        {
            Add($"""<circle cx="{across:0.#}" cy="{down:0.#}" r="1.7" fill="{Colour(colour)}"/>""");
        }
    }

    /// <summary>An arrowhead with its point at one place, in a direction of any length but 0.</summary>
    public void Arrowhead((double X, double Y) point, (double X, double Y) direction, Axis x, Axis y, int colour)
    {
        const double Length = 13;
        const double HalfWidth = 5;
        (double tipX, double tipY) = (x.Place(point.X), y.Place(point.Y));
        double size = Math.Max(Math.Abs(direction.X), Math.Abs(direction.Y));
        (double alongX, double alongY) = (x.Length(direction.X / size), y.Length(direction.Y / size));
        double length = double.Hypot(alongX, alongY);
        (alongX, alongY) = (alongX / length, alongY / length);
        (double footX, double footY) = (tipX - (Length * alongX), tipY - (Length * alongY));
        Add($"""<polygon fill="{Colour(colour)}" points="{tipX:0.#},{tipY:0.#} {footX - (HalfWidth * alongY):0.#},{footY + (HalfWidth * alongX):0.#} {footX + (HalfWidth * alongY):0.#},{footY - (HalfWidth * alongX):0.#}"/>""");
    }

    /// <summary>What closed rings enclose, as an area and as lines around it; along the edge of the ground there is no line.</summary>
    public void Rings(IReadOnlyList<List<(double X, double Y)>> rings, Axis x, Axis y, double opacity)
    {
        StringBuilder area = new();
        StringBuilder lines = new();
        foreach (List<(double X, double Y)> ring in rings)
        {
            bool isDrawing = false;
            for (int i = 0; i < ring.Count; i++)
            {
                (double X, double Y) here = ring[i];
                (double X, double Y) next = ring[(i + 1) % ring.Count];
                area.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? 'M' : 'L')}{x.Place(here.X):0.#} {y.Place(here.Y):0.#}");
                bool isEdge = (here.X == next.X && x.IsEnd(here.X)) || (here.Y == next.Y && y.IsEnd(here.Y));
                if (!isEdge)
                {
                    if (!isDrawing)
                    {
                        lines.Append(CultureInfo.InvariantCulture, $"M{x.Place(here.X):0.#} {y.Place(here.Y):0.#}");
                    }

                    lines.Append(CultureInfo.InvariantCulture, $"L{x.Place(next.X):0.#} {y.Place(next.Y):0.#}");
                }

                isDrawing = !isEdge;
            }

            area.Append('Z');
        }

        // By style, not by attribute: the document's style, which says that paths have no fill, comes before attributes.
        Add($"""<path style="fill:currentColor;fill-opacity:{opacity:0.###};stroke:none" d="{area}"/>""");
        Add($"""<path class="contour" d="{lines}"/>""");
    }

    /// <summary>Points as dots with a rim that shows on any ground.</summary>
    public void Dots(IEnumerable<(double X, double Y)> points, Axis x, Axis y, int colour, double radius)
    {
        foreach ((double pointX, double pointY) in points)
        {
            (double across, double down) = (x.Place(pointX), y.Place(pointY));
            if (double.IsFinite(across) && double.IsFinite(down))
            {
                Add($"""<circle cx="{across:0.#}" cy="{down:0.#}" r="{radius:0.#}" fill="{Colour(colour)}" stroke="#fff" stroke-width=".6"/>""");
            }
        }
    }

    /// <summary>A dashed line from top to bottom at a value, with its name and the value beside it.</summary>
    public void Marker(double place, double top, double height, double textAt, string name)
    {
        Add($"""<path stroke="currentColor" stroke-dasharray="5 3" d="M{place:0.#} {top:0.#}v{height:0.#}"/>""");
        Add($"""<text x="{place + 5:0.#}" y="{textAt:0.#}" font-size="11">{Escape(name)}</text>""");
    }

    /// <summary>A level line.</summary>
    public void Rule(double from, double to, double y, int colour) => Add($"""<path stroke="{Colour(colour)}" d="M{from:0.#} {y:0.#}H{to:0.#}"/>""");

    /// <summary>Words that say what stands beside them.</summary>
    public void Label(double x, double y, string text, bool isAtEnd = false) =>
        Add($"""<text x="{x:0.#}" y="{y:0.#}" text-anchor="{(isAtEnd ? "end" : "start")}">{Escape(text)}</text>""");

    /// <summary>An area of a colour.</summary>
    public void Area(double left, double top, double width, double height, int colour, double opacity) =>
        Add($"""<rect x="{left:0.##}" y="{top:0.##}" width="{width:0.##}" height="{height:0.##}" fill="{Colour(colour)}" fill-opacity="{opacity:0.##}"/>""");

    /// <summary>What legends take beside a panel: the longest name, and what is around it.</summary>
    public static int LegendWidth(int least, IEnumerable<Series> named)
    {
        const int Around = 46;
        return (int)named.Select(series => Around + TextWidth(series.Name)).Append(least).Max();
    }

    /// <summary>What a legend of so many names takes from top to bottom.</summary>
    public static int LegendHeight(int count) => count * LegendRow;

    /// <summary>A line or dot and what it is called.</summary>
    public void Legend(double left, double top, int row, string name, int colour, bool isDot = false)
    {
        double y = top + 14 + (row * LegendRow);
        Add(isDot
            ? (FormattableString)$"""<circle cx="{left + 9:0.#}" cy="{y - 4:0.#}" r="4" fill="{Colour(colour)}"/>"""
            : $"""<path stroke="{Colour(colour)}"{Dash(colour)} d="M{left:0.#} {y - 4:0.#}h18"/>""");
        Add($"""<text x="{left + 24:0.#}" y="{y:0.#}">{Escape(name)}</text>""");
    }

    /// <summary>
    /// Fields of growing opacity, one above another, with the numbers that lie between them. Where there is no room for all,
    /// each field stands for several bands and has the opacity of the lowest.
    /// </summary>
    public void Key(double left, double bottom, double room, string label, IReadOnlyList<double> levels, Func<int, double> opacityOf)
    {
        const double Height = 17;
        const double LabelHeight = 20;
        int most = Math.Max(2, (int)((room - LabelHeight) / Height));
        int together = (levels.Count + most) / most;
        int fields = (levels.Count + together) / together;
        for (int field = 0; field < fields; field++)
        {
            double top = bottom - ((field + 1) * Height);
            Add($"""<rect x="{left:0.#}" y="{top:0.#}" width="18" height="{Height:0.#}" fill="currentColor" fill-opacity="{opacityOf(field * together):0.###}"/>""");
            if (field < fields - 1)
            {
                Add($"""<line class="contour" x1="{left:0.#}" x2="{left + 18:0.#}" y1="{top:0.#}" y2="{top:0.#}"/><text x="{left + 24:0.#}" y="{top + 4:0.#}">{Axis.Number(levels[((field + 1) * together) - 1])}</text>""");
            }
        }

        double height = fields * Height;
        Add($"""<rect class="frame" x="{left:0.#}" y="{bottom - height:0.#}" width="18" height="{height:0.#}"/>""");
        Add($"""<text x="{left:0.#}" y="{bottom - height - 8:0.#}">{Escape(label)}</text>""");
    }

    /// <summary>A text with what means something in XML written otherwise, and what XML does not allow replaced.</summary>
    private static string Escape(string text) => SecurityElement.Escape(
        string.Concat(text.EnumerateRunes().Select(rune => IsAllowed(rune.Value) ? rune : Rune.ReplacementChar)));

    private static bool IsAllowed(int letter) => letter is '\t' or '\n' or '\r' or (>= ' ' and not 0xFFFE and not 0xFFFF);

    private static string Dash(int number) =>
        number < Colours.Length ? string.Empty : $" stroke-dasharray=\"{Dashes[Math.Min(number / Colours.Length, Dashes.Length - 1)]}\"";

    private void Add(FormattableString element) => svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
