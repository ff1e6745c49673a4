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

    [Theory]
    [InlineData("short", 786)]
    [InlineData("threshold of ParameterNorm(percentile 50 of 1000)", 78 + 532 + 46 + 333)]
    public void A_long_name_makes_the_picture_wider(string name, int width)
    {
        Panel panel = new("norm", [new Series("a", [(0, 1), (1, 2)])]) { Marks = [new Series(name, [(0, 1)])] };
        XDocument document = XDocument.Parse(new LineChart("t", "step", panel).ToSvg());
        Assert.Equal(width, (int)document.Root!.Attribute("width")!);
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

    [Fact]
    public void Marks_of_a_panel_are_dots_in_the_colours_after_the_lines()
    {
        Panel panel = new("a", [new Series("line", [(0, 1), (2, 1)])]) { Marks = [new Series("marked", [(1, 3)])] };
        XDocument document = XDocument.Parse(new LineChart("t", "x", panel).ToSvg());
        XElement[] dots = [.. Elements(document, "circle")];
        Assert.Equal(2, dots.Length); // The mark and its place in the legend.
        Assert.Equal(dots[0].Attribute("fill")!.Value, dots[1].Attribute("fill")!.Value);
        Assert.NotEqual(Elements(document, "path").First().Attribute("stroke")!.Value, dots[0].Attribute("fill")!.Value);

        // The mark is in the middle, and above the line: the axis takes it in.
        (double X, double Y)[] line = Points(Elements(document, "path").First().Attribute("d")!.Value);
        Assert.Equal((line[0].X + line[1].X) / 2, (double)dots[0].Attribute("cx")!, 0.1);
        Assert.True((double)dots[0].Attribute("cy")! < line[0].Y - 100);
    }

    [Fact]
    public void A_histogram_counts_on_its_axis_and_marks_values()
    {
        double[] values = [1, 1, 1, 10, 100, 1000, double.NaN, 0];
        XDocument document = XDocument.Parse(new HistogramChart("t", "norm", values) { IsLogarithmic = true, BinCount = 3, Markers = [("p90", 100), ("never", 0)] }.ToSvg());
        double[] heights = [.. Elements(document, "rect").Where(element => element.Attribute("fill-opacity") is not null).Select(element => (double)element.Attribute("height")!)];
        Assert.Equal(3, heights.Length);
        Assert.Equal(3, heights[0] / heights[1], 0.01);
        Assert.Equal(2, heights[2] / heights[1], 0.01);
        Assert.Contains("p90 100", document.Root!.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("never", document.Root.Value, StringComparison.Ordinal);
        Assert.Contains("no finite value", Assert.Throws<InvalidOperationException>(() => new HistogramChart("t", "x", []).ToSvg()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new HistogramChart("t", "x", []) { BinCount = 0 });
    }

    [Fact]
    public void A_heat_map_joins_equal_neighbours_and_tells_what_is_zero_missing_or_not_finite()
    {
        HeatMap map = new("t", "step", [0, 10, 20, 30], ("a", [1, 1, 100, 100]), ("b", [double.NaN, null, 0, 1]));
        XDocument document = XDocument.Parse(map.ToSvg());
        var areas = Elements(document, "rect").Where(element => element.Attribute("fill-opacity") is not null)
            .Select(element => (Left: (double)element.Attribute("x")!, Top: (double)element.Attribute("y")!, Width: (double)element.Attribute("width")!, Opacity: (double)element.Attribute("fill-opacity")!, Fill: element.Attribute("fill")!.Value))
            .Where(area => area.Left < 750).ToArray();
        var first = areas.Where(area => area.Top == 46).ToArray();
        Assert.Equal([280.0, 280.0], first.Select(area => area.Width));
        Assert.Equal([0.06, 1.0], first.Select(area => area.Opacity));
        var second = areas.Where(area => area.Top == 68).ToArray();
        Assert.Equal([190.0, 610.0], second.Select(area => area.Left));
        Assert.NotEqual(second[0].Fill, second[1].Fill);
        Assert.Contains("not finite", document.Root!.Value, StringComparison.Ordinal);
        Assert.Equal(2, Elements(document, "path").Count()); // Struck through: the zero, here and in the legend.
        string message = Assert.Throws<ArgumentException>(() => new HeatMap("t", "step", [0, 1], ("a", [1])).ToSvg()).Message;
        Assert.Contains("row 'a' has 1 numbers for 2 columns", message, StringComparison.Ordinal);
        Assert.Contains("0 rows and 0 columns", Assert.Throws<InvalidOperationException>(() => new HeatMap("t", "step", []).ToSvg()).Message, StringComparison.Ordinal);
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
