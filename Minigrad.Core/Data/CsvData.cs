using System.Globalization;
using nietras.SeparatedValues;

namespace Minigrad.Data;

/// <summary>
/// A table from a text file of separated values. It is read whole and every row has every column; which cells are numbers
/// and which are names of classes is decided by what is asked of it.
/// </summary>
/// <remarks>
/// Cells may be quoted, with a quote inside them doubled (RFC 4180); spaces around a cell do not count, and lines with
/// nothing in them, not even a separator, are passed over. Numbers are written as in 1234.5e-6, whatever the language of the machine.
/// </remarks>
public sealed class CsvData
{
    private readonly string path;
    private readonly List<Row> rows;

    private CsvData(string path, string[] columns, List<Row> rows)
    {
        this.path = path;
        this.rows = rows;
        Columns = columns;
    }

    /// <summary>The names of the columns; without a header they are "1", "2", ….</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The number of rows, not counting the header.</summary>
    public int Count => rows.Count;

    /// <summary>Reads a table.</summary>
    /// <param name="path">The file, in UTF-8, gzipped or not.</param>
    /// <param name="separator">What stands between two cells.</param>
    /// <param name="hasHeader">Whether the first line names the columns.</param>
    /// <exception cref="ArgumentException">The separator is a quote, '#', or neither a tab nor printable ASCII.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DataFileException">There are no rows, a row has too few or too many cells, a quote is not closed or
    /// followed by text, or two columns have one name.</exception>
    public static CsvData Read(string path, char separator = ',', bool hasHeader = true)
    {
        List<Row> rows = Parse(path, DataFileReader.ReadText(path), separator);
        string[] columns = rows.Count == 0 ? [] : hasHeader
            ? rows[0].Cells
            : [.. Enumerable.Range(1, rows[0].Cells.Length).Select(number => number.ToString(CultureInfo.InvariantCulture))];
        if (Repeated(columns) is { } repeated)
        {
            throw DataFileException.At(
                path, Line(rows[0]), $"{repeated.Count()} columns are named \"{repeated.Key}\". Give each a name of its own, or read with hasHeader: false if this line is data.");
        }

        if (hasHeader && rows.Count > 0)
        {
            rows.RemoveAt(0);
        }

        if (rows.Count == 0)
        {
            throw new DataFileException(
                $"{path} has no rows{(hasHeader ? " below a header" : string.Empty)}. Check that it is the right file{(hasHeader ? ", and that its first line is a header" : string.Empty)}.");
        }

        foreach (Row row in rows)
        {
            if (row.Cells.Length != columns.Length)
            {
                throw DataFileException.At(
                    path, Line(row), $"{row.Cells.Length} cells separated by '{separator}' are here, but there are {columns.Length} columns ({List(columns)}). Correct the line, or give the right separator.");
            }
        }

        return new CsvData(path, columns, rows);
    }

    /// <summary>Columns of numbers.</summary>
    /// <param name="columns">The names of the columns, in the order wanted; none means all.</param>
    /// <returns><c>[rows, columns]</c>.</returns>
    /// <exception cref="ArgumentException">There is no such column.</exception>
    /// <exception cref="DataFileException">A cell is empty or no finite number.</exception>
    public Tensor ToTensor(params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        int[] places = columns.Length == 0 ? [.. Enumerable.Range(0, Columns.Count)] : Array.ConvertAll(columns, Place);
        float[] values = new float[rows.Count * places.Length];
        int next = 0;
        foreach (Row row in rows)
        {
            foreach (int place in places)
            {
                string cell = Cell(row, place);
                bool isNumber = float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out float value);

                // The parser passes over null characters at the end, which may stand where a crash has left a number unwritten.
                values[next++] = isNumber && float.IsFinite(value) && !cell.EndsWith('\0') ? value : throw DataFileException.At(
                    path, At(row, place), $"'{cell.Replace("\0", "\\0", StringComparison.Ordinal)}' is no finite number. "
                    + "Correct it, or leave the row or the column out.");
            }
        }

        return Tensor.Of(values, rows.Count, places.Length);
    }

    /// <summary>A column of classes, each numbered by its place among the distinct texts in ordinal order.</summary>
    /// <param name="column">The name of the column.</param>
    /// <param name="classes">The classes in the order wanted, as those of another file of the same data; null finds them.</param>
    /// <returns>The class of each row, and the text of each class.</returns>
    /// <exception cref="ArgumentException">There is no such column, or a class is null or given twice.</exception>
    /// <exception cref="DataFileException">A cell is empty, or is none of the classes given.</exception>
    public (int[] Labels, IReadOnlyList<string> Classes) ToLabels(string column, IReadOnlyList<string>? classes = null)
    {
        ArgumentNullException.ThrowIfNull(column);
        int place = Place(column);
        classes ??= [.. rows.Select(row => Cell(row, place)).Distinct().Order(StringComparer.Ordinal)];
        for (int number = 0; number < classes.Count; number++)
        {
            if (classes[number] is null)
            {
                throw new ArgumentException(
                    $"ToLabels: class {number} of the {classes.Count} given is null. Give the text that stands in column \"{column}\", or no classes to have them found.", nameof(classes));
            }
        }

        if (Repeated(classes) is { } repeated)
        {
            throw new ArgumentException(
                $"The class \"{repeated.Key}\" is given {repeated.Count()} times ({List(classes)}). Give each once: a class is numbered by its place.", nameof(classes));
        }

        Dictionary<string, int> numbers = [];
        foreach (string name in classes)
        {
            numbers[name] = numbers.Count;
        }

        int[] labels = new int[rows.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            string cell = Cell(rows[i], place);
            labels[i] = numbers.TryGetValue(cell, out int number) ? number : throw DataFileException.At(
                path, At(rows[i], place), $"'{cell}' is none of the {numbers.Count} classes given ({List(classes)}). Correct it, or add it to the classes.");
        }

        return (labels, classes);
    }

    private static List<Row> Parse(string path, string text, char separator)
    {
        // The header and the number of cells are looked at above, where a message can say more.
        Sep format = FormatOf(separator);
        List<Row> rows = [];
        int line = 1; // Where the row before ended: without a header, Sep says that the first row begins where it ends.
        try
        {
            using SepReader reader = format
                .Reader(options => options with
                {
                    HasHeader = false,
                    DisableColCountCheck = true,
                    Unescape = true,
                    Trim = SepTrim.Outer,
                    CreateToString = SepToString.PoolPerCol(),
                })
                .FromText(text);
            foreach (SepReader.Row row in reader)
            {
                // Looked at first, because cells are unescaped in place.
                int quotes = row.Span.Count('"');
                if (quotes % 2 == 1)
                {
                    throw DataFileException.At(
                        path, $"line {line}", "a quote is opened here and not closed. Close it; a quote that is part of a cell is doubled, in a cell in quotes.");
                }

                if (quotes > 0 && AfterQuote(row.Span, separator) is { Length: > 0 } after)
                {
                    throw DataFileException.At(
                        path,
                        $"line {line}",
                        $"'{after}' follows a closing quote, in the row that begins here. Put it inside the quotes; "
                        + "a quote that is part of a cell is doubled, in a cell in quotes.");
                }

                // A tab is white, and may be the separator of cells that are empty.
                if (!row.Span.IsWhiteSpace() || row.Span.Contains(separator))
                {
                    rows.Add(new Row(line, row[..].ToStringsArray()));
                }

                line = row.LineNumberToExcl;
            }
        }
        catch (NotSupportedException error)
        {
            throw DataFileException.At(
                path, $"line {line}", "the row that begins about here is longer than 16 million characters. Check that its quotes are closed, and that it is the right file.", error);
        }

        return rows;
    }

    /// <summary>
    /// What stands between the quote that closes a cell and the next separator, but for spaces: Sep would make it a part of the cell.
    /// </summary>
    private static string AfterQuote(ReadOnlySpan<char> row, char separator)
    {
        const int MostShown = 20; // A cell may be as long as the file.
        int place = 0;
        while (place < row.Length)
        {
            int end = place; // Of the cell: quotes of any kind hide separators, as they do for Sep.
            for (bool isQuoted = false; end < row.Length && (isQuoted || row[end] != separator); end++)
            {
                isQuoted ^= row[end] == '"';
            }

            ReadOnlySpan<char> cell = row[place..end].Trim(' ');
            if (cell is ['"', .. var inside])
            {
                int close = inside.IndexOf('"');
                while (close >= 0 && close + 1 < inside.Length && inside[close + 1] == '"')
                {
                    inside = inside[(close + 2)..];
                    close = inside.IndexOf('"');
                }

                if (inside[(close + 1)..].TrimStart(' ') is { Length: > 0 } after)
                {
                    return after.Length > MostShown ? $"{after[..MostShown]}…" : after.ToString();
                }
            }

            place = end + 1;
        }

        return string.Empty;
    }

    private static Sep FormatOf(char separator)
    {
        try
        {
            return Sep.New(separator);
        }
        catch (ArgumentException error)
        {
            throw new ArgumentException(
                $"CsvData.Read: the character U+{(int)separator:X4} cannot separate cells. Give a tab or a printable ASCII character that is no quote and not '#', as ',', ';' or '|'.", nameof(separator), error);
        }
    }

    private static IGrouping<string, string>? Repeated(IEnumerable<string> names) =>
        names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1);

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"\"{name}\""));

    private static string Line(Row row) => $"line {row.Line}";

    private string At(Row row, int place) => $"{Line(row)}, column \"{Columns[place]}\"";

    private int Place(string column)
    {
        int place = Columns.ToList().IndexOf(column);
        return place >= 0 ? place : throw new ArgumentException(
            $"{path} has no column \"{column}\". Its columns are {List(Columns)}.", nameof(column));
    }

    private string Cell(Row row, int place) => row.Cells[place].Length > 0 ? row.Cells[place] : throw DataFileException.At(
        path, At(row, place), "the cell is empty. Fill it, or leave the row or the column out.");

    private sealed record Row(int Line, string[] Cells);
}
