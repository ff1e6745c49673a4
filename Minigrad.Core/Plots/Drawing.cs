using System.Globalization;
using System.Security;
using System.Text;

namespace Minigrad.Plots;

/// <summary>What charts are drawn with: an SVG document with a heading, readable on a light and on a dark background.</summary>
internal sealed class Drawing
{
    /// <summary>Colours that differ for the colour-blind too (Okabe and Ito, 2008), dark enough for paper and bright enough for night.</summary>
    private static readonly string[] Colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9"];

    private readonly StringBuilder svg = new();

    /// <summary>An empty drawing.</summary>
    public Drawing(int width, int height, string title, double left)
    {
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12">""");
        Add($"<title>{Escape(title)}</title>");
        Add($"<style>svg{{background:#fff;color:#222}}@media(prefers-color-scheme:dark){{svg{{background:#16181d;color:#ddd}}}}text{{fill:currentColor}}.grid{{stroke:currentColor;stroke-opacity:.16}}.frame{{stroke:currentColor;stroke-opacity:.5;fill:none}}path{{fill:none;stroke-width:1.4;stroke-linejoin:round}}</style>");
        Add($"""<text x="{left:0.#}" y="26" font-size="16" font-weight="600">{Escape(title)}</text>""");
    }

    /// <summary>The colour of a line or a class by its number.</summary>
    public static string Colour(int number) => Colours[number % Colours.Length];

    /// <summary>The finished document.</summary>
    public string Finish() => svg.Append("</svg>\n").ToString();

    /// <summary>A frame with grid lines, labelled at the left and, if asked, below.</summary>
    public void Frame(double left, double top, double width, double height, Axis x, Axis y, string label, string? below)
    {
        foreach ((double place, string text) in y.Ticks(5))
        {
            Add($"""<line class="grid" x1="{left:0.#}" x2="{left + width:0.#}" y1="{place:0.#}" y2="{place:0.#}"/><text x="{left - 7:0.#}" y="{place + 4:0.#}" text-anchor="end">{text}</text>""");
        }

        Base(left, top, width, height, x, below);
        Add($"""<text transform="translate({left - 62:0.#} {top + (height / 2):0.#}) rotate(-90)" text-anchor="middle">{Escape(label)}</text>""");
    }

    /// <summary>A frame with vertical grid lines, labelled below if asked.</summary>
    public void Base(double left, double top, double width, double height, Axis x, string? below)
    {
        foreach ((double place, string text) in x.Ticks(width > 400 ? 8 : 4))
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

    /// <summary>A line through points; one that cannot be shown leaves a gap.</summary>
    public void Line(IEnumerable<(double X, double Y)> points, Axis x, Axis y, int colour)
    {
        StringBuilder path = new();
        bool isDrawing = false;
        foreach ((double pointX, double pointY) in points)
        {
            (double across, double down) = (x.Place(pointX), y.Place(pointY));
            if (!double.IsFinite(across) || !double.IsFinite(down))
            {
                isDrawing = false;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(isDrawing ? 'L' : 'M')}{across:0.#} {down:0.#}");
            isDrawing = true;
        }

        Add($"""<path stroke="{Colour(colour)}" d="{path}"/>""");
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

    /// <summary>A line or dot and what it is called.</summary>
    public void Legend(double left, double top, int row, string name, int colour, bool isDot = false)
    {
        double y = top + 14 + (row * 19);
        Add(isDot
            ? (FormattableString)$"""<circle cx="{left + 9:0.#}" cy="{y - 4:0.#}" r="4" fill="{Colour(colour)}"/>"""
            : $"""<path stroke="{Colour(colour)}" d="M{left:0.#} {y - 4:0.#}h18"/>""");
        Add($"""<text x="{left + 24:0.#}" y="{y:0.#}">{Escape(name)}</text>""");
    }

    private static string Escape(string text) => SecurityElement.Escape(text);

    private void Add(FormattableString element) => svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
