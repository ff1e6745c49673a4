namespace Minigrad.Plots;

/// <summary>
/// Positive numbers in rows and columns as shades, the darker (on a dark background: the brighter) the larger, on a logarithmic
/// scale: the norms of layers over time. What is not finite is in another colour, and 0 is struck through. Plain SVG; it needs no
/// library, and is readable on a light and on a dark background.
/// </summary>
/// <param name="title">The heading.</param>
/// <param name="horizontalLabel">What the columns are: steps.</param>
/// <param name="columns">Where each column begins on the horizontal axis, each after the one before.</param>
/// <param name="rows">The rows from top to bottom: a name, and a number for each column, which is not negative; null where there is none.</param>
public sealed class HeatMap(
    string title, string horizontalLabel, IReadOnlyList<double> columns, params IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> rows)
{
    private const int Width = 560;
    private const int RowHeight = 22;

    /// <summary>The names of rows have at least so much room, and more if one needs it.</summary>
    private const int LeastLeft = 190;

    private const int Right = 110;
    private const int Top = 46;
    private const int Bottom = 48;
    private const int ScaleWidth = 16;

    /// <summary>Between a name and its row, and between it and the edge.</summary>
    private const int Beside = 8;

    /// <summary>Shades, from the least number to the largest.</summary>
    private const int Levels = 14;

    /// <summary>The least number is not drawn as nothing.</summary>
    private const double LeastOpacity = 0.06;

    /// <summary>The scale is at least so long, whatever the rows.</summary>
    private const int LeastScale = 120;

    /// <summary>The level of 0, which has no logarithm.</summary>
    private const int Crossed = -1;

    private const int Ground = 0;
    private const int Alarm = 1;

    private readonly string title = title ?? throw new ArgumentNullException(nameof(title));
    private readonly string horizontalLabel = horizontalLabel ?? throw new ArgumentNullException(nameof(horizontalLabel));
    private readonly IReadOnlyList<double> columns = columns ?? throw new ArgumentNullException(nameof(columns));
    private readonly IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> rows = rows ?? throw new ArgumentNullException(nameof(rows));

    /// <summary>What the numbers are, above the scale.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string Label
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Label));
    } = "norm";

    /// <summary>The map as an SVG document.</summary>
    /// <exception cref="InvalidOperationException">There is no positive finite number.</exception>
    /// <exception cref="ArgumentException">
    /// A row has no name or not a number for each column, a number is negative, or a column does not begin after the one before.
    /// </exception>
    public string ToSvg()
    {
        if (rows.Count == 0 || columns.Count == 0)
        {
            throw new InvalidOperationException($"There is nothing to draw: '{title}' has {rows.Count} rows and {columns.Count} columns. Was anything recorded?");
        }

        CheckColumns();
        CheckRows();
        int left = Math.Max(LeastLeft, (int)rows.Max(row => Drawing.TextWidth(row.Name)) + (2 * Beside));
        int height = rows.Count * RowHeight;
        int scaleHeight = Math.Max(height, LeastScale);
        Axis scale = Axis.Around(
            rows.SelectMany(row => row.Values).Select(value => value ?? double.NaN), title, Top + scaleHeight, Top, isLogarithmic: true);
        Drawing drawing = new(left + Width + Right, Top + scaleHeight + Bottom, title, left);
        double last = columns[^1] + (columns.Count > 1 ? columns[^1] - columns[^2] : 1);
        Axis x = Axis.Between(columns[0], last, left, left + Width);
        for (int row = 0; row < rows.Count; row++)
        {
            double top = Top + (row * RowHeight);
            drawing.Label(left - Beside, top + (RowHeight / 2.0) + 4, rows[row].Name, isAtEnd: true);
            DrawRow(drawing, rows[row].Values, [.. columns.Append(last).Select(x.Place)], scale, top);
        }

        drawing.Base(left, Top, Width, height, x, horizontalLabel);
        DrawScale(drawing, scale, left + Width + 24, scaleHeight);
        return drawing.Finish();
    }

    /// <summary>Writes the map to a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path) => File.WriteAllText(path, ToSvg());

    /// <summary>How a number is drawn, so that equal neighbours are drawn as one.</summary>
    private static (int Colour, int Level) Shade(double? value, Axis scale, double length) => value switch
    {
        null => (Ground, 0),
        0 => (Ground, Crossed),
        { } number when !double.IsFinite(number) => (Alarm, Levels),
        { } number => (Ground, 1 + (int)Math.Round((Top + length - scale.Place(number)) / length * (Levels - 1))),
    };

    private static double Opacity(int level) => LeastOpacity + ((1 - LeastOpacity) * (level - 1) / (Levels - 1));

    /// <summary>Columns that share a place would have no width.</summary>
    private void CheckColumns()
    {
        for (int column = 0; column < columns.Count; column++)
        {
            if (!double.IsFinite(columns[column]) || (column > 0 && !(columns[column] > columns[column - 1])))
            {
                throw new ArgumentException(
                    $"HeatMap: column {column} begins at {columns[column]}{(column > 0 ? $", and the one before at {columns[column - 1]}" : "")}. Give finite places that rise, or columns would have no width; if several have one number, count them.");
            }
        }
    }

    private void CheckRows()
    {
        for (int row = 0; row < rows.Count; row++)
        {
            (string name, IReadOnlyList<double?> numbers) = rows[row];
            if (name is null)
            {
                throw new ArgumentException($"HeatMap: row {row} of {rows.Count} has no name, but null; give each row a name, \"\" for none.");
            }

            if (numbers is null)
            {
                throw new ArgumentException(
                    $"HeatMap: row '{name}' has null instead of numbers; give one for each column, null where there is none.");
            }

            if (numbers.Count != columns.Count)
            {
                throw new ArgumentException($"HeatMap: row '{name}' has {numbers.Count} numbers for {columns.Count} columns; give one for each, null where there is none.");
            }

            for (int column = 0; column < numbers.Count; column++)
            {
                if (numbers[column] is { } number && number < 0 && double.IsFinite(number))
                {
                    throw new ArgumentException(
                        $"HeatMap: row '{name}' has {number} in column {column}, but the shades are on a logarithmic scale, which has no negative numbers. Give sizes: Math.Abs(x), or null to leave it out.");
                }
            }
        }
    }

    private void DrawRow(Drawing drawing, IReadOnlyList<double?> values, double[] places, Axis scale, double top)
    {
        double length = Math.Max(rows.Count * RowHeight, LeastScale);
        (int Colour, int Level) before = default;
        int start = 0;
        for (int column = 0; column <= values.Count; column++)
        {
            (int Colour, int Level) here = column < values.Count ? Shade(values[column], scale, length) : (-1, 0);
            if (column > 0 && here != before)
            {
                if (before.Level > 0)
                {
                    drawing.Area(places[start], top, places[column] - places[start], RowHeight, before.Colour, Opacity(before.Level));
                }
                else if (before.Level == Crossed)
                {
                    drawing.Rule(places[start], places[column], top + (RowHeight / 2.0), Alarm);
                }

                start = column;
            }

            before = here;
        }
    }

    private void DrawScale(Drawing drawing, Axis scale, int place, int height)
    {
        for (int level = 1; level <= Levels; level++)
        {
            double top = Top + (height * (1 - ((double)level / Levels)));
            drawing.Area(place, top, ScaleWidth, (double)height / Levels, Ground, Opacity(level));
        }

        foreach ((double tick, string text) in scale.Ticks(5))
        {
            drawing.Label(place + ScaleWidth + 6, tick + 4, text);
        }

        drawing.Label(place, Top - 8, Label);
        double below = Top + height + 12;
        if (rows.Any(row => row.Values.Any(value => value is { } number && !double.IsFinite(number))))
        {
            drawing.Area(place, below, ScaleWidth, 12, Alarm, 1);
            drawing.Label(place + ScaleWidth + 6, below + 10, "not finite");
            below += 18;
        }

        if (rows.Any(row => row.Values.Contains(0)))
        {
            drawing.Rule(place, place + ScaleWidth, below + 6, Alarm);
            drawing.Label(place + ScaleWidth + 6, below + 10, "0");
        }
    }
}
