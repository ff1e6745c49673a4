namespace Minigrad.Plots;

/// <summary>
/// How often values occur, as bars, with values of interest marked by lines across. Plain SVG; it needs no library, and is
/// readable on a light and on a dark background.
/// </summary>
/// <param name="title">The heading.</param>
/// <param name="label">What the horizontal axis shows.</param>
/// <param name="values">The values. One that is not finite is left out, as is one that is not positive on a logarithmic axis.</param>
/// <example>
/// <code>
/// new HistogramChart("Norms", "gradient norm", norms) { IsLogarithmic = true, Markers = [("median", median)] }.Save("norms.svg");
/// </code>
/// </example>
public sealed class HistogramChart(string title, string label, IReadOnlyList<double> values)
{
    private const int Width = 640;
    private const int Height = 260;
    private const int Left = 78;

    /// <summary>Room for the name of a marker at the right end.</summary>
    private const int Right = 150;

    private const int Bottom = 48;
    private const int Heading = 46;

    /// <summary>A line of text of a marker.</summary>
    private const int TextHeight = 14;

    /// <summary>Between bars that are wider than twice this.</summary>
    private const double BarGap = 1;

    /// <summary>A bar that is narrower would not be seen.</summary>
    private const double LeastBar = 0.5;

    private const int MostBars = 10_000;

    private readonly string title = title ?? throw new ArgumentNullException(nameof(title));
    private readonly string label = label ?? throw new ArgumentNullException(nameof(label));
    private readonly IReadOnlyList<double> values = values ?? throw new ArgumentNullException(nameof(values));

    /// <summary>Whether the horizontal axis is logarithmic, and the bars evenly wide on it.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>How many bars there are.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive, or above 10,000, more than a drawing shows.</exception>
    public int BinCount
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(BinCount));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostBars, nameof(BinCount));
            field = value;
        }
    } = 48;

    /// <summary>Values to mark, and what they are called, as quantiles and thresholds. One outside the values' range widens it.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public IReadOnlyList<(string Name, double Value)> Markers
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Markers));
    } = [];

    /// <summary>The chart as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">There is no value that can be shown, or values lie too far apart.</exception>
    public string ToSvg()
    {
        // The names of markers stand above the bars, each a line lower than the one before, from left to right, so that near ones can be read.
        int top = Heading + (Markers.Count * TextHeight) + 4;
        Drawing drawing = new(Left + Width + Right, top + Height + Bottom, title, Left);
        Axis x = Axis.Around([.. values, .. Markers.Select(marker => marker.Value)], label, Left, Left + Width, IsLogarithmic);
        int[] bins = Count(x);
        Axis y = Axis.Between(0, Math.Max(1, bins.Max()) * 1.05, top + Height, top);
        drawing.Frame(Left, top, Width, Height, x, y, "how often", label);
        double bar = (double)Width / BinCount;
        double gap = bar > 2 * BarGap ? BarGap : 0;
        for (int bin = 0; bin < bins.Length; bin++)
        {
            if (bins[bin] > 0)
            {
                double place = y.Place(bins[bin]);
                drawing.Area(Left + (bin * bar) + (gap / 2), place, Math.Max(LeastBar, bar - gap), top + Height - place, 0, 0.75);
            }
        }

        double textAt = Heading - 3;
        foreach ((string name, double value) in Markers.OrderBy(marker => marker.Value))
        {
            double place = x.Place(value);
            if (double.IsFinite(place))
            {
                textAt += TextHeight;
                drawing.Marker(place, textAt - 8, top + Height - textAt + 8, textAt, FormattableString.Invariant($"{name} {value:g3}"));
            }
        }

        return drawing.Finish();
    }

    /// <summary>Writes the chart to a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path) => File.WriteAllText(path, ToSvg());

    private int[] Count(Axis x)
    {
        int[] bins = new int[BinCount];
        foreach (double value in values)
        {
            double part = (x.Place(value) - Left) / Width;
            if (double.IsFinite(part))
            {
                bins[Math.Clamp((int)(part * BinCount), 0, BinCount - 1)]++;
            }
        }

        return bins;
    }
}
