using System.Globalization;
using System.Xml.Linq;
using Minigrad.Plots;

namespace Minigrad.Tests.Plots;

/// <summary>Charts as documents: valid, escaped, with everything in its place.</summary>
public sealed class ChartTests
{
    [Fact]
    public void A_line_chart_leaves_gaps_and_escapes_its_text()
    {
        Series series = new("loss <raw> & more", [(0, 1), (1, double.NaN), (2, 0.5), (3, -1), (4, 0.1)]);
        XDocument document = XDocument.Parse(
            new LineChart("a < b", "step", new Panel("loss", [series]) { IsLogarithmic = true }, new Panel("norm", [series])).ToSvg());
        string[] paths = [.. Elements(document, "path").Select(element => element.Attribute("d")!.Value)];
        Assert.Equal(3, paths[0].Count(letter => letter == 'M'));
        Assert.Contains("loss <raw> & more", document.Root!.Value, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme:dark", document.Root.Value, StringComparison.Ordinal);
        Assert.Contains(
            "no finite value",
            Assert.Throws<InvalidOperationException>(() => new LineChart("t", "x", new Panel("y", [new Series("s", [])])).ToSvg()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Panels_side_by_side_share_their_rows_vertical_range()
    {
        Series low = new("low", [(0, 0), (10, 1)]);
        Series high = new("high", [(0, 0), (10, 4)]);
        string svg = new LineChart("t", "x", new Panel("a", [low]), new Panel("b", [high])) { ColumnCount = 2 }.ToSvg();
        (double X, double Y)[][] lines = [.. Elements(XDocument.Parse(svg), "path").Select(element => Points(element.Attribute("d")!.Value)).Where(points => points.Length == 2)];
        Assert.Equal(2, lines.Length);
        double rise = lines[0][0].Y - lines[0][1].Y;
        Assert.Equal(4 * rise, lines[1][0].Y - lines[1][1].Y, 0.5);
        Assert.True(lines[1][0].X > lines[0][1].X);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LineChart("t", "x", new Panel("a", [low])) { ColumnCount = 0 });
    }

    [Fact]
    public void A_panel_may_have_a_horizontal_axis_of_its_own()
    {
        Panel own = new("a", [new Series("s", [(1, 1), (10, 2), (100, 3)])]) { HorizontalLabel = "size", IsHorizontalLogarithmic = true };
        Panel shared = new("b", [new Series("s", [(0, 1), (3, 2), (4, 3)])]);
        string svg = new LineChart("t", "step", own, shared).ToSvg();
        (double X, double Y)[][] lines = [.. Elements(XDocument.Parse(svg), "path").Select(element => Points(element.Attribute("d")!.Value)).Where(points => points.Length == 3)];
        Assert.Equal((lines[0][0].X + lines[0][2].X) / 2, lines[0][1].X, 0.5);
        Assert.Equal(lines[1][0].X + (0.75 * (lines[1][2].X - lines[1][0].X)), lines[1][1].X, 0.5);
        Assert.Equal((lines[0][0].X, lines[0][2].X), (lines[1][0].X, lines[1][2].X));
        Assert.Contains("size", svg, StringComparison.Ordinal);
        Assert.Contains("step", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plane_shows_ground_points_and_paths_where_they_are()
    {
        PlaneChart chart = new("plane", (-1, 1), (0, 4))
        {
            Shade = (x, y) => (x < 0 ? 0 : 1, y / 4),
            Points = [new Series("dots", [(0, 2), (5, 5)])],
            Paths = [new Series("path", [(-1, 0), (1, 4), (2, 9)])],
        };
        XDocument document = XDocument.Parse(chart.ToSvg());
        XElement frame = Elements(document, "rect").Single(element => (string?)element.Attribute("class") == "frame");
        double left = (double)frame.Attribute("x")!;
        double top = (double)frame.Attribute("y")!;
        double side = (double)frame.Attribute("width")!;

        // The point outside is not drawn; the one inside is in the middle.
        XElement[] dots = [.. Elements(document, "circle").Where(element => (string)element.Attribute("r")! == "2.6")];
        XElement dot = Assert.Single(dots);
        Assert.Equal(left + (side / 2), (double)dot.Attribute("cx")!, 0.1);
        Assert.Equal(top + (side / 2), (double)dot.Attribute("cy")!, 0.1);
        (double X, double Y)[] path = Points(Elements(document, "path").First().Attribute("d")!.Value);
        Assert.Equal([(left, top + side), (left + side, top)], path);

        // Regions of two colours meet in the middle.
        XElement[] areas = [.. Elements(document, "rect").Where(element => element.Attribute("fill-opacity") is not null)];
        Assert.Equal(2, areas.Select(element => (string)element.Attribute("fill")!).Distinct().Count());
        Assert.All(areas, area => Assert.Equal(side / 2, (double)area.Attribute("width")!, 0.1));
        Assert.Throws<InvalidOperationException>(() => new PlaneChart("t", (1, 1), (0, 1)).ToSvg());
    }

    private static IEnumerable<XElement> Elements(XDocument document, string name) =>
        document.Descendants().Where(element => element.Name.LocalName == name);

    private static (double X, double Y)[] Points(string path) =>
        [.. path.Split(['M', 'L'], StringSplitOptions.RemoveEmptyEntries).Where(pair => !pair.Contains('h', StringComparison.Ordinal)).Select(pair =>
        {
            string[] numbers = pair.Split(' ');
            return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
        })];
}
