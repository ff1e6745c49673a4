using System.Globalization;
using System.Xml.Linq;
using CsCheck;
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
    [InlineData("threshold of ParameterNorm(percentile 50 of 1000)", 78 + 532 + 46 + 336)]
    [InlineData("WWWWWWWWWWWWWWWWWWWW", 78 + 532 + 46 + 220)]
    [InlineData("クリップされていない勾配のノルム", 78 + 532 + 46 + 200)]
    public void A_long_name_makes_the_picture_wider(string name, int width)
    {
        Panel panel = new("norm", [new Series("a", [(0, 1), (1, 2)])]) { Marks = [new Series(name, [(0, 1)])] };
        XDocument document = XDocument.Parse(new LineChart("t", "step", panel).ToSvg());
        Assert.Equal(width, (int)document.Root!.Attribute("width")!);
    }

    [Fact]
    public void A_point_between_two_gaps_is_a_dot()
    {
        Series series = new("s", [(0, 1), (1, 2), (2, double.NaN), (3, 4), (4, double.NaN), (5, 0), (6, 1)]);
        XElement dot = Assert.Single(Elements(XDocument.Parse(new LineChart("t", "x", new Panel("y", [series])).ToSvg()), "circle"));
        Assert.Equal((78 + (532 / 2.0), 46.0), ((double)dot.Attribute("cx")!, (double)dot.Attribute("cy")!));
        Assert.Single(Elements(XDocument.Parse(new LineChart("t", "x", new Panel("y", [new Series("s", [(1, 2)])])).ToSvg()), "circle"));
    }

    [Fact]
    public void A_panel_without_a_finite_value_says_so_beside_others()
    {
        Panel norms = new("norm", [new Series("n", [(0, 1), (10, 2)])]);
        Panel losses = new("loss", [new Series("l", [(0, double.NaN), (10, double.NaN)])]) { IsLogarithmic = true };
        foreach (Panel[] panels in (Panel[][])[[norms, losses], [losses, norms], [losses with { HorizontalLabel = "own" }, norms]])
        {
            XDocument document = XDocument.Parse(new LineChart("t", "step", panels).ToSvg());
            string[] texts = [.. Elements(document, "text").Select(text => text.Value)];
            Assert.Single(texts, text => text == "no finite value");
            Assert.Contains("loss", texts);
            Assert.Contains("step", texts);
            Assert.Equal(2, Elements(document, "rect").Count());
            Assert.Single(Elements(document, "path"), path => Points(path.Attribute("d")!.Value).Length == 2);
            Assert.DoesNotContain("NaN", document.ToString(), StringComparison.Ordinal);
        }

        // Points of which each lacks one number are none.
        Panel halves = new("h", [new Series("s", [(double.NaN, 1), (1, double.NaN)])]);
        foreach (Panel[] panels in (Panel[][])[[], [losses], [losses, halves]])
        {
            string message = Assert.Throws<InvalidOperationException>(() => new LineChart("a run", "step", panels).ToSvg()).Message;
            Assert.StartsWith($"There is nothing to draw: 'a run' has no finite value in any of its {panels.Length} panels", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(-1e308, 1e308)]
    [InlineData(double.MaxValue, double.MaxValue)]
    public void Values_too_far_apart_for_an_axis_are_refused(double low, double high)
    {
        foreach (Action draw in (Action[])[() => new LineChart("t", "x", new Panel("height", [new Series("s", [(1, low), (2, high)])])).ToSvg(), () => new HistogramChart("t", "height", [low, high]).ToSvg()])
        {
            string message = Assert.Throws<InvalidOperationException>(draw).Message;
            Assert.Contains($"'height' has values from {low} to {high}, and no number is large enough", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_XML_does_not_allow_is_replaced()
    {
        XDocument document = XDocument.Parse(new LineChart("a\u0001b\ud800c😀", "x\0", new Panel("y\u001f", [new Series("s\uffff", [(0, 1), (1, 2)])])).ToSvg());
        Assert.Superset(new HashSet<string> { "a�b�c😀", "x�", "y�", "s�" }, new HashSet<string>(Elements(document, "text").Select(text => text.Value)));
    }

    [Fact]
    public void Lines_that_share_a_colour_differ_in_their_dashes()
    {
        Series[] lines = [.. Enumerable.Range(0, 20).Select(i => new Series($"s{i}", [(0, i), (1, i + 1)]))];
        XElement[] paths = [.. Elements(XDocument.Parse(new LineChart("t", "x", new Panel("y", lines)).ToSvg()), "path")];
        string[] looks = [.. paths.Select(path => $"{(string)path.Attribute("stroke")!} {(string?)path.Attribute("stroke-dasharray")}")];
        Assert.Equal(40, looks.Length); // Each line and its place in the legend, which looks like it.
        Assert.Equal(20, looks.Distinct().Count());
        Assert.All(looks.Chunk(2), pair => Assert.Equal(pair[0], pair[1]));
        Assert.All(paths[..12], path => Assert.Null(path.Attribute("stroke-dasharray")));
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
        string message = Assert.Throws<InvalidOperationException>(() => new PlaneChart("t", (0, 120), (0, 120)) { Shade = (_, _) => (-1, 0.5) }.ToSvg()).Message;
        Assert.Contains("Shade gave colour -1 at (", message, StringComparison.Ordinal);
        Assert.NotEmpty(new PlaneChart("t", (0, 1), (0, 1)) { Shade = (_, _) => (-1, 0) }.ToSvg());
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
        Assert.Throws<ArgumentOutOfRangeException>(() => new HistogramChart("t", "x", []) { BinCount = int.MaxValue });
    }

    [Fact]
    public void What_is_not_there_is_named_where_it_is_given()
    {
        (string Name, Func<object> Make)[] wrong =
        [
            ("title", () => new LineChart(null!, "x")),
            ("horizontalLabel", () => new LineChart("t", null!)),
            ("panels", () => new LineChart("t", "x", null!)),
            ("Label", () => new Panel(null!, [])),
            ("Series", () => new Panel("p", null!)),
            ("Name", () => new Series(null!, [])),
            ("Points", () => new Series("s", null!)),
            ("title", () => new HeatMap(null!, "x", [0], ("a", [1]))),
            ("horizontalLabel", () => new HeatMap("t", null!, [0], ("a", [1]))),
            ("columns", () => new HeatMap("t", "x", null!, ("a", [1]))),
            ("rows", () => new HeatMap("t", "x", [0], null!)),
            ("title", () => new HistogramChart(null!, "x", [1])),
            ("label", () => new HistogramChart("t", null!, [1])),
            ("values", () => new HistogramChart("t", "x", null!)),
            ("title", () => new PlaneChart(null!, (0, 1), (0, 1))),
            ("Label", () => new ContourMap(null!, new double[2, 2], [1])),
            ("Heights", () => new ContourMap("h", null!, [1])),
            ("Levels", () => new ContourMap("h", new double[2, 2], null!)),
        ];
        Assert.All(wrong, given => Assert.Equal(given.Name, Assert.Throws<ArgumentNullException>(given.Make).ParamName));
    }

    [Fact]
    public void What_an_initializer_takes_away_is_named_as_well()
    {
        Series series = new("s", [(0, 1)]);
        Panel panel = new("p", [series]);
        ContourMap contours = new("h", new double[2, 2], [1]);
        (string Name, Func<object> Make)[] wrong =
        [
            ("Name", () => series with { Name = null! }),
            ("Points", () => series with { Points = null! }),
            ("Label", () => panel with { Label = null! }),
            ("Series", () => panel with { Series = null! }),
            ("Marks", () => panel with { Marks = null! }),
            ("Label", () => contours with { Label = null! }),
            ("Heights", () => contours with { Heights = null! }),
            ("Levels", () => contours with { Levels = null! }),
            ("Label", () => new HeatMap("t", "x", [0], ("a", [1])) { Label = null! }),
            ("Markers", () => new HistogramChart("t", "x", [1]) { Markers = null! }),
            ("Points", () => new PlaneChart("t", (0, 1), (0, 1)) { Points = null! }),
            ("Paths", () => new PlaneChart("t", (0, 1), (0, 1)) { Paths = null! }),
            ("HorizontalLabel", () => new PlaneChart("t", (0, 1), (0, 1)) { HorizontalLabel = null! }),
            ("VerticalLabel", () => new PlaneChart("t", (0, 1), (0, 1)) { VerticalLabel = null! }),
        ];
        Assert.All(wrong, given => Assert.Equal(given.Name, Assert.Throws<ArgumentNullException>(given.Make).ParamName));
    }

    [Fact]
    public void What_is_missing_among_others_is_told_by_its_place()
    {
        Series series = new("s", [(0, 1)]);
        (string Part, Func<object> Make)[] wrong =
        [
            ("LineChart: panel 1 of 2 is null.", () => new LineChart("t", "x", new Panel("p", [series]), null!)),
            ("Panel.Series: series 0 of 1 is null.", () => new Panel("p", [null!])),
            ("Panel.Marks: series 1 of 2 is null.", () => new Panel("p", [series]) { Marks = [series, null!] }),
            ("PlaneChart.Points: series 1 of 2 is null.", () => new PlaneChart("t", (0, 1), (0, 1)) { Points = [series, null!] }),
            ("PlaneChart.Paths: series 0 of 1 is null.", () => new PlaneChart("t", (0, 1), (0, 1)) { Paths = [null!] }),
            ("HeatMap: row 1 of 2 has no name", () => new HeatMap("t", "x", [0], ("a", [1]), (null!, [1])).ToSvg()),
            ("HeatMap: row 'b' has null instead of numbers", () => new HeatMap("t", "x", [0], ("a", [1]), ("b", null!)).ToSvg()),
        ];
        Assert.All(wrong, given => Assert.Contains(given.Part, Assert.Throws<ArgumentException>(given.Make).Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(48, 12.33)]
    [InlineData(320, 2)]
    [InlineData(640, 1)]
    [InlineData(5000, 0.5)]
    public void Bars_however_many_have_a_width(int count, double width)
    {
        XElement[] bars = [.. Elements(XDocument.Parse(new HistogramChart("t", "x", [1, 2, 2, 3]) { BinCount = count }.ToSvg()), "rect").Where(element => element.Attribute("fill-opacity") is not null)];
        Assert.Equal(3, bars.Length);
        Assert.All(bars, bar => Assert.Equal(width, (double)bar.Attribute("width")!));
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
        message = Assert.Throws<ArgumentException>(() => new HeatMap("t", "step", [0, 1], ("a", [1, -5])).ToSvg()).Message;
        Assert.Contains("row 'a' has -5 in column 1", message, StringComparison.Ordinal);
        Assert.NotEmpty(new HeatMap("t", "step", [0, 1], ("a", [1, double.NegativeInfinity])).ToSvg());
        message = Assert.Throws<ArgumentException>(() => new HeatMap("t", "step", [0, 1, 1], ("a", [1, 2, 3])).ToSvg()).Message;
        Assert.Contains("column 2 begins at 1, and the one before at 1", message, StringComparison.Ordinal);
        message = Assert.Throws<ArgumentException>(() => new HeatMap("t", "step", [double.NaN], ("a", [1])).ToSvg()).Message;
        Assert.Contains("column 0 begins at NaN.", message, StringComparison.Ordinal);
        Assert.Contains("0 rows and 0 columns", Assert.Throws<InvalidOperationException>(() => new HeatMap("t", "step", []).ToSvg()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_name_of_a_row_has_room()
    {
        const string Name = "decoder.layers.0.attention.projection.query";
        XDocument document = XDocument.Parse(new HeatMap("t", "step", [0, 1], (Name, [1, 2])).ToSvg());
        double left = (double)Elements(document, "rect").Single(element => (string?)element.Attribute("class") == "frame").Attribute("x")!;
        XElement name = Elements(document, "text").Single(text => text.Value == Name);
        Assert.Equal(left - 8, (double)name.Attribute("x")!);
        Assert.True(left - 16 >= (int)(Name.Length * 6.8), $"{left}");
        Assert.Equal(left + 560 + 110, (double)document.Root!.Attribute("width")!);
    }

    [Theory]
    [InlineData(2.1, 4.9, "3 4")]
    [InlineData(6, 9, "6 7 8 9")]
    [InlineData(1.01, 1.04, "1.01 1.02 1.03 1.04")]
    [InlineData(3, 3, "2.9 3 3.1")]
    [InlineData(2.5e-7, 8e-7, "4e-7 6e-7 8e-7")]
    [InlineData(2, 5, "2 5")]
    [InlineData(1, 100, "1 2 5 10 20 50 100")]
    public void A_logarithmic_axis_has_labels_however_short_it_is(double low, double high, string labels)
    {
        Axis axis = Axis.Around([low, high], "y", 0, 100, isLogarithmic: true);
        (double Place, string Label)[] ticks = [.. axis.Ticks(5)];
        Assert.Equal(labels, string.Join(' ', ticks.Select(tick => tick.Label)));
        Assert.All(ticks, tick => Assert.Equal(axis.Place(double.Parse(tick.Label, CultureInfo.InvariantCulture)), tick.Place, 1e-6));
        foreach (string svg in (string[])[new HistogramChart("t", "x", [low, high]) { IsLogarithmic = true }.ToSvg(), new HeatMap("t", "x", [0, 1], ("row", [low, high])).ToSvg()])
        {
            Assert.Contains(ticks.Select(tick => tick.Label).Distinct(), label => svg.Contains($">{label}<", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Any_logarithmic_axis_has_labels_that_differ() => Gen.Select(Gen.Double[-10, 10], Gen.Double[-6, 2]).Sample(
        (power, width) =>
        {
            double low = Math.Pow(10, power);
            Axis axis = Axis.Around([low, low * (1 + Math.Pow(10, width))], "y", 0, 500, isLogarithmic: true);
            string[] labels = [.. axis.Ticks(5).Select(tick => tick.Label).Where(label => label.Length > 0)];
            Assert.Equal(labels, labels.Distinct());
            Assert.InRange(labels.Length, 1, 12);
            Assert.All(axis.Ticks(5), tick => Assert.InRange(tick.Place, -1e-3, 500 + 1e-3));
        },
        iter: 1000);

    [Theory]
    [InlineData(0.3, 0.1 + 0.2)]
    [InlineData(1e9, 1e9 + 1e-7)]
    [InlineData(1e16, 1e16 + 2)]
    [InlineData(-1e16 - 2, -1e16)]
    [InlineData(7, 7)]
    public void Values_that_only_rounding_tells_apart_are_drawn_as_one(double low, double high)
    {
        string upright = new LineChart("t", "x", new Panel("y", [new Series("s", [(0, low), (1, high)])])).ToSvg();
        (double X, double Y)[] line = Points(Elements(XDocument.Parse(upright), "path").First().Attribute("d")!.Value);
        Assert.Equal([(78.0, 156.0), (610.0, 156.0)], line);
        AssertLabelsDiffer(upright, 3);
        string across = new LineChart("t", "x", new Panel("y", [new Series("s", [(low, 0), (high, 1)])])).ToSvg();
        line = Points(Elements(XDocument.Parse(across), "path").First().Attribute("d")!.Value);
        Assert.Equal([(344.0, 266.0), (344.0, 46.0)], line);
        AssertLabelsDiffer(across, 3);
        string histogram = new HistogramChart("t", "x", [low, high]).ToSvg();
        XElement[] bars = [.. Elements(XDocument.Parse(histogram), "rect").Where(element => element.Attribute("fill-opacity") is not null)];
        Assert.All(bars, bar => Assert.InRange((double)bar.Attribute("x")!, 78 + 306, 78 + 321)); // Beside the middle or right of it.
        AssertLabelsDiffer(histogram, 3);
    }

    [Theory]
    [InlineData(0.30001, 0.30006, "0.30001 0.30002 0.30003 0.30004 0.30005 0.30006")]
    [InlineData(0.001, 0.0012, "0.001 0.00105 0.0011 0.00115 0.0012")]
    [InlineData(100000, 120000, "1e+5 1.05e+5 1.1e+5 1.15e+5 1.2e+5")]
    [InlineData(-120000, -100000, "-1.2e+5 -1.15e+5 -1.1e+5 -1.05e+5 -1e+5")]
    [InlineData(0, 1e-4, "0 2e-5 4e-5 6e-5 8e-5 1e-4")]
    [InlineData(-0.4, 0.6, "-0.4 -0.2 0 0.2 0.4 0.6")]
    [InlineData(12345, 12345.5, "12345 12345.1 12345.2 12345.3 12345.4 12345.5")]
    [InlineData(1700000000, 1700003600, "1.7e+9")] // There is no room for so many digits.
    [InlineData(1, 1.0000001, "1")] // Of the other ticks the same would be said.
    [InlineData(0.3, 0.1 + 0.2, "0.3")]
    [InlineData(1e16, 1e16 + 2, "1e+16")]
    [InlineData(0, double.Epsilon, "")]
    [InlineData(-double.MaxValue, double.MaxValue, "")]
    public void Labels_have_the_digits_that_tell_them_apart(double low, double high, string labels)
    {
        (double Place, string Label)[] ticks = [.. Axis.Between(low, high, 0, 1).Ticks(5)];
        Assert.Equal(labels, string.Join(' ', ticks.Select(tick => tick.Label).Where(label => label.Length > 0)));
        Assert.All(ticks, tick => Assert.InRange(tick.Place, -1e-5, 1 + 1e-5));
    }

    [Fact]
    public void A_plane_may_be_as_small_as_the_distance_of_two_numbers() => AssertLabelsDiffer(new PlaneChart("t", (1, 1 + 2.3e-16), (0, 1)).ToSvg(), 1 + 6);

    private static void AssertLabelsDiffer(string svg, int least)
    {
        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        string[] upright = Labels("end");
        string[] across = Labels("middle");
        Assert.Equal(upright, upright.Distinct());
        Assert.Equal(across, across.Distinct());
        Assert.True(upright.Length + across.Length >= least, $"{upright.Length} and {across.Length} labels");

        string[] Labels(string anchor) => [.. Elements(XDocument.Parse(svg), "text")
            .Where(text => (string?)text.Attribute("text-anchor") == anchor && text.Attribute("transform") is null && text.Value is not ("" or "x"))
            .Select(text => text.Value)];
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
