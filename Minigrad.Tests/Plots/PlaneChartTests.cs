using System.Globalization;
using System.Xml.Linq;
using CsCheck;
using Minigrad.Plots;

namespace Minigrad.Tests.Plots;

/// <summary>A part of the plane: contour lines where the height is, and paths that leave it.</summary>
public sealed class PlaneChartTests
{
    [Fact]
    public void A_path_is_cut_at_the_edge_and_an_arrowhead_shows_where_it_leaves()
    {
        // From the middle out through the right edge, back in through the top edge, along the diagonal, to the end inside.
        PlaneChart chart = new("plane", (-1, 1), (-1, 1)) { Paths = [new Series("path", [(0, 0), (2, 0), (0, 2), (0, 0.5), (double.NaN, 0), (-3, -3), (3, 3)])] };
        XDocument document = XDocument.Parse(chart.ToSvg());
        string[] parts = Elements(document, "path").First().Attribute("d")!.Value.Split('M', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, parts.Length);
        (double X, double Y)[][] lines = [.. parts.Select(Points)];
        Assert.Equal([(318.0, 286.0), (558.0, 286.0)], lines[0]);
        Assert.Equal([(318.0, 46.0), (318.0, 166.0)], lines[1]);
        Assert.Equal([(78.0, 526.0), (558.0, 46.0)], lines[2]);

        // Two leave; the tip of each arrowhead is where the line ends, its foot inside.
        (double X, double Y)[] tips = [.. Elements(document, "polygon").Select(element => Points('M' + element.Attribute("points")!.Value.Replace(' ', 'M').Replace(',', ' '))[0])];
        Assert.Equal([(558.0, 286.0), (558.0, 46.0)], tips);

        // The end of the path is outside, so no dot marks it.
        Assert.Empty(Elements(document, "circle"));
    }

    [Fact]
    public void An_arrowhead_points_where_a_path_leaves_from_right_at_the_edge()
    {
        // What of each line is inside has no length in the picture.
        PlaneChart chart = new("plane", (-1, 1), (-1, 1)) { Paths = [new Series("path", [(Math.BitDecrement(1), 0), (1e17, 0), (double.NaN, 0), (0, Math.BitDecrement(1)), (1e200, 1e200)])] };
        string svg = chart.ToSvg();
        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        string[] heads = [.. Elements(XDocument.Parse(svg), "polygon").Select(element => element.Attribute("points")!.Value)];
        Assert.Equal(["558,286 545,291 545,281", "318,46 312.3,58.7 305.3,51.7"], heads);
    }

    [Fact]
    public void Contour_lines_lie_where_the_height_is_and_areas_are_closed()
    {
        // A plane that rises to the right from 0 to 4: its lines are vertical and do not run along the edge.
        double[,] slope = new double[3, 5];
        for (int i = 0; i < slope.Length; i++)
        {
            slope[i / 5, i % 5] = i % 5;
        }

        XDocument document = XDocument.Parse(new PlaneChart("slope", (0, 4), (0, 1)) { Contours = new ContourMap("height", slope, [1, 2.5]) }.ToSvg());
        (double X, double Y)[][] lines = [.. Contours(document).Select(Points)];
        Assert.Equal(2, lines.Length);
        Assert.All(lines[0], point => Assert.Equal(78 + (480 / 4 * 1), point.X, 0.1));
        Assert.All(lines[1], point => Assert.Equal(78 + (480 / 4 * 2.5), point.X, 0.1));
        Assert.Equal((46, 526), (lines[0].Min(point => point.Y), lines[0].Max(point => point.Y)));

        // What is at least 1 high: three quarters of the ground. By the shoelace formula.
        (double X, double Y)[] area = Points(Elements(document, "path").First(element => element.Attribute("style") is not null).Attribute("d")!.Value.TrimEnd('Z'));
        Assert.Equal(0.75 * 480 * 480, AreaOf(area), 1);

        // The key names the levels.
        Assert.Contains("height", document.Root!.Value, StringComparison.Ordinal);
        Assert.Contains(Elements(document, "text"), text => text.Value == "2.5");
    }

    [Theory]
    [InlineData(1, 0, 0, 1, 0.5, 1)] // The middle, ½, is not below the level: a saddle's two high corners are one area,
    [InlineData(1, 0, 0, 1, 0.6, 2)] // and here two.
    [InlineData(0, 1, 1, 0, 0.5, 1)]
    [InlineData(0, 1, 1, 0, 0.6, 2)]
    [InlineData(1, 1, 1, 1, 0.5, 1)] // All is high: the edge is the line.
    [InlineData(0, 0, 0, 0, 0.5, 0)]
    [InlineData(double.NaN, 1, 1, 1, 0.5, 1)]
    [InlineData(double.NegativeInfinity, double.PositiveInfinity, 1, 1, 0.5, 1)]
    public void A_saddle_is_parted_by_its_middle(double lowLeft, double lowRight, double highLeft, double highRight, double level, int areas)
    {
        List<List<(double Row, double Column)>> rings = new ContourTracer(new[,] { { lowLeft, lowRight }, { highLeft, highRight } }, level).Rings();
        Assert.Equal(areas, rings.Count);
        Assert.All(rings.SelectMany(ring => ring), point => Assert.True(point is { Row: >= 0 and <= 1, Column: >= 0 and <= 1 }));
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(double.NegativeInfinity, 1)]
    [InlineData(1, double.NegativeInfinity)]
    [InlineData(0, double.PositiveInfinity)]
    [InlineData(double.PositiveInfinity, 0)]
    [InlineData(double.NegativeInfinity, double.PositiveInfinity)]
    public void A_mirrored_map_has_mirrored_lines(double inside, double around)
    {
        double[,] heights = new double[5, 5];
        for (int i = 0; i < 25; i++)
        {
            heights[i / 5, i % 5] = i % 5 == 2 ? inside : around;
        }

        (double Row, double Column)[] points = [.. new ContourTracer(heights, 0.5).Rings().SelectMany(ring => ring)];
        Assert.NotEmpty(points);
        Assert.All(points, point => Assert.True(double.IsFinite(point.Column)));
        Assert.Equal(points.Order(), points.Select(point => (point.Row, Column: 4 - point.Column)).Order());

        // A line runs through the finite heights beside an infinity.
        double edge = double.IsFinite(around) ? 1 : double.IsFinite(inside) ? 2 : 1.5;
        Assert.Contains(points, point => point.Column == edge);
    }

    [Theory]
    [InlineData(10, 1, 10)]
    [InlineData(26, 0, 26)]
    [InlineData(40, 0, 20)]
    [InlineData(200, 3, 22)]
    public void A_key_has_room_however_many_levels_there_are(int count, int groups, int labels)
    {
        double[] levels = [.. Enumerable.Range(1, count).Select(i => i / 64.0)];
        Series[] points = [.. Enumerable.Range(0, groups).Select(i => new Series($"g{i}", [(0, 0)]))];
        XDocument document = XDocument.Parse(new PlaneChart("t", (-1, 1), (-1, 1)) { Points = points, Contours = new ContourMap("height", new[,] { { 0.0, 1 }, { 1, 4 } }, levels) }.ToSvg());
        XElement[] fields = [.. Elements(document, "rect").Where(rect => (string?)rect.Attribute("width") == "18" && rect.Attribute("class") is null)];
        double top = (double)Elements(document, "text").Single(text => text.Value == "height").Attribute("y")!;
        Assert.True(top - 12 >= 46 + (19 * groups), $"{top}");
        Assert.Equal(labels + 1, fields.Length);
        double[] opacities = [.. fields.Select(field => (double)field.Attribute("fill-opacity")!)];
        Assert.Equal(opacities.Order(), opacities);
        double[] told = [.. Elements(document, "text").Where(text => (string?)text.Attribute("x") == "594" && !text.Value.StartsWith('g')).Select(text => double.Parse(text.Value, CultureInfo.InvariantCulture))];
        Assert.Equal(labels, told.Length);
        int together = count / labels;
        Assert.All(told, (level, i) => Assert.Equal(levels[((i + 1) * together) - 1], level, 1e-4));
    }

    // Of random heights each ring turns the same way around what is high, so their areas add up to what is high. The heights
    // are whole 64ths: so their mirror and the middles of their saddles are exact, and what lies at the level is low in the mirror.
    [Fact]
    public void Rings_enclose_what_is_high() => Gen.Int[0, 64].Select(part => part / 64.0).Array2D[Gen.Int[2, 9], Gen.Int[2, 9]].Sample(
        heights =>
        {
            double enclosed = new ContourTracer(heights, 0.5).Rings().Sum(ring => SignedAreaOf([.. ring.Select(point => (point.Column, point.Row))]));
            double mirrored = new ContourTracer(Map(heights, height => 1 - height), Math.BitIncrement(0.5)).Rings().Sum(ring => SignedAreaOf([.. ring.Select(point => (point.Column, point.Row))]));
            int cells = (heights.GetLength(0) - 1) * (heights.GetLength(1) - 1);
            Assert.Equal(cells, Math.Abs(enclosed) + Math.Abs(mirrored), 1e-6);
        },
        seed: "0000000000001",
        iter: 300);

    [Fact]
    public void A_contour_map_without_ground_or_with_falling_levels_is_refused()
    {
        static string Fault(double[,] heights, params double[] levels) => Assert.Throws<InvalidOperationException>(
            () => new PlaneChart("t", (0, 1), (0, 1)) { Contours = new ContourMap("error", heights, levels) }.ToSvg()).Message;
        Assert.Contains("'error': the heights are 1 × 3, and must be at least 2 × 2", Fault(new double[1, 3], 1), StringComparison.Ordinal);
        Assert.Contains("level 1 is 1 after 2", Fault(new double[2, 2], 2, 1), StringComparison.Ordinal);
        Assert.Contains("level 0 is NaN", Fault(new double[2, 2], double.NaN), StringComparison.Ordinal);
    }

    private static double[,] Map(double[,] heights, Func<double, double> function)
    {
        double[,] mapped = new double[heights.GetLength(0), heights.GetLength(1)];
        for (int i = 0; i < heights.Length; i++)
        {
            mapped[i / heights.GetLength(1), i % heights.GetLength(1)] = function(heights[i / heights.GetLength(1), i % heights.GetLength(1)]);
        }

        return mapped;
    }

    private static double AreaOf((double X, double Y)[] ring) => Math.Abs(SignedAreaOf(ring));

    private static double SignedAreaOf((double X, double Y)[] ring)
    {
        double sum = 0;
        for (int i = 0; i < ring.Length; i++)
        {
            (double X, double Y) next = ring[(i + 1) % ring.Length];
            sum += (ring[i].X * next.Y) - (next.X * ring[i].Y);
        }

        return sum / 2;
    }

    private static string[] Contours(XDocument document) =>
        [.. Elements(document, "path").Where(element => (string?)element.Attribute("class") == "contour").Select(element => element.Attribute("d")!.Value)];

    private static IEnumerable<XElement> Elements(XDocument document, string name) =>
        document.Descendants().Where(element => element.Name.LocalName == name);

    private static (double X, double Y)[] Points(string path) =>
        [.. path.Split(['M', 'L'], StringSplitOptions.RemoveEmptyEntries).Where(pair => !pair.Contains('h', StringComparison.Ordinal)).Select(pair =>
        {
            string[] numbers = pair.Split(' ');
            return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
        })];
}
