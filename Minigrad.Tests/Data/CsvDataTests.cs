using System.Globalization;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Tables of separated values, and that every fault of one is an error that says where.</summary>
public sealed class CsvDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Numbers_and_classes_are_read_by_column()
    {
        CsvData data = Read("width,kind,height\n1.5,b,-2e3\r\n .25 , a,4\n\n7,b,0\n");
        Assert.Equal(["width", "kind", "height"], data.Columns);
        Assert.Equal(3, data.Count);
        Tensor numbers = data.ToTensor("height", "width");
        Assert.Equal([3, 2], numbers.Shape);
        Assert.Equal([-2000f, 1.5f, 4, 0.25f, 0, 7], numbers.ToArray());
        (int[] labels, IReadOnlyList<string> classes) = data.ToLabels("kind");
        Assert.Equal([1, 0, 1], labels);
        Assert.Equal(["a", "b"], classes);
        Assert.Equal([2, 1, 2], data.ToLabels("kind", ["c", "a", "b"]).Labels);
    }

    [Fact]
    public void Quotes_separators_marks_and_compression_are_understood()
    {
        CsvData quoted = Read("\"first; name\";second\n\"1\";\"say \"\"no\"\"\nnow\"\n2;plain\n", ';');
        Assert.Equal(["first; name", "second"], quoted.Columns);
        Assert.Equal([1f, 2], quoted.ToTensor("first; name").ToArray());
        Assert.Equal(["plain", "say \"no\"\nnow"], quoted.ToLabels("second").Classes);
        Assert.Equal(["\"", "\"x\"", "6\" pipe, 7\"", "x,"], Read("a\n \"x,\" \n\"\"\"\"\n\"\"\"x\"\"\"\n6\" pipe, 7\"\n").ToLabels("a").Classes);
        Assert.Equal(["a"], Read("\uFEFFa\n1").Columns);
        string gzipped = folder.Write("table.csv", IdxBytes.Compress("a\tb\n1\t2"u8.ToArray()));
        Assert.Equal([1f, 2], CsvData.Read(gzipped, '\t').ToTensor().ToArray());
        Assert.Equal([1f, 2], Read("a,b\n\t\n1,2\n  \n").ToTensor().ToArray());
        Assert.Equal([1f, 2], Read("a\tb\n  \n1\t2\n\n", '\t').ToTensor().ToArray());
    }

    [Fact]
    public void Columns_without_a_header_are_numbered()
    {
        CsvData data = Read("1,2\n3,4\n", hasHeader: false);
        Assert.Equal(["1", "2"], data.Columns);
        Assert.Equal([1f, 2, 3, 4], data.ToTensor().ToArray());
        Assert.Equal([2f, 4], data.ToTensor("2").ToArray());
    }

    [Fact]
    public void The_language_of_the_machine_does_not_matter()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (comma.NumberFormat.NumberDecimalSeparator, comma.NumberFormat.NumberGroupSeparator) = (",", ".");
            CultureInfo.CurrentCulture = comma;
            Assert.Equal([1.5f], Read("a\n1.5\n").ToTensor().ToArray());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData('"', "U+0022")]
    [InlineData('#', "U+0023")]
    [InlineData('\n', "U+000A")]
    [InlineData('é', "U+00E9")]
    public void What_cannot_separate_cells_is_refused_in_words(char separator, string name)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Read("a,b\n1,2\n", separator));
        Assert.Contains($"the character {name} cannot separate cells. Give a tab or a printable ASCII character", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_of_a_file_name_its_line_and_column()
    {
        Refuses(() => Read(""), "no rows");
        Refuses(() => Read("a,b\n\n"), "no rows below a header");
        Refuses(() => Read("a,b\n1,2\n\n1,2,3\n"), "line 4", "3 cells", "2 columns (\"a\", \"b\")");
        Refuses(() => Read("a,b\n1\n"), "line 2", "1 cells");
        Refuses(() => Read("a,b,a\n1,2,3\n"), "line 1", "2 columns are named \"a\"", "hasHeader: false");
        Refuses(() => Read("\"a\nb\",c\n1\n"), "line 3", "1 cells");
        Refuses(() => Read("\"a,b\n1,2\n"), "line 1", "not closed");
        Refuses(() => Read("a,b\n1,\"2\n3,4\n"), "line 2", "not closed");
        Refuses(() => Read("a,b\n1,2\n\"x\ny\",\n").ToTensor("b"), "line 3, column \"b\"", "empty");
        Refuses(() => Read("a,b\n\"x\ny\",1\nz,two\n").ToTensor("b"), "line 4, column \"b\"", "'two' is no finite number");
        Refuses(() => Read("a,b\n1,2\n\"x\"y,3\n"), "line 3", "'y' follows a closing quote", "doubled");
        Refuses(() => Read("\"a\nb\",c\n1, \"2\" 3\n"), "line 3", "'3' follows a closing quote");
        Refuses(() => Read("a,b\n\"x\"\"\"y\"z\",1\n"), "line 2", "'y\"z\"' follows a closing quote");
        Refuses(() => Read("a\tb\n1\t2\n\t\n", '\t').ToTensor(), "line 3, column \"a\"", "empty");
        Refuses(() => Read("a\tb\n1\t2\n\t\t\n", '\t'), "line 3", "3 cells");
        Refuses(() => Read("a\n1\n\"" + new string('x', 1 << 24)), "line ", "16 million characters", "quotes");
        Refuses(() => Read("a\nNaN\n").ToTensor(), "line 2, column \"a\"", "'NaN'");
        Refuses(() => Read("a,b\n1,23.5\n2,4\0\0\0").ToTensor(), "line 3, column \"b\"", "'4\\0\\0\\0' is no finite number");
        Refuses(() => Read("a\n1e99\n").ToTensor(), "'1e99'");
        Refuses(() => Read("a\n1,5\n", ';').ToTensor(), "'1,5'");
        Refuses(() => Read("a,b\n1,\n").ToLabels("b"), "line 2, column \"b\"", "empty");
        Refuses(() => Read("a\nx\ny\n").ToLabels("a", ["x", "z"]), "line 3, column \"a\"", "'y' is none of the 2 classes", "\"x\", \"z\"");
        Refuses(() => CsvData.Read(folder.Write("table.csv", [.. "a\nb"u8, 0xE4, .. "c\n"u8])), "byte 3, line 2", "0xE4 is not valid UTF-8");
        string repeated = Assert.Throws<ArgumentException>(() => Read("a\na\nb\nc\n").ToLabels("a", ["a", "b", "a", "c"])).Message;
        Assert.StartsWith("The class \"a\" is given 2 times (\"a\", \"b\", \"a\", \"c\"). Give each once", repeated, StringComparison.Ordinal);
        string none = Assert.Throws<ArgumentException>(() => Read("a\nb\n").ToLabels("a", ["b", null!])).Message;
        Assert.StartsWith("ToLabels: class 1 of the 2 given is null. Give the text that stands in column \"a\"", none, StringComparison.Ordinal);
        string unknown = Assert.Throws<ArgumentException>(() => Read("a,b\n1,2\n").ToTensor("c")).Message;
        Assert.Contains("no column \"c\". Its columns are \"a\", \"b\"", unknown, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => CsvData.Read(Path.Combine(folder.Path, "absent.csv")));
    }

    [Fact]
    public void Damaged_files_load_whole_or_are_refused()
    {
        byte[] whole = "a,b,c\n1,2,x\n\"3\",4,\"y\"\"y\"\n5,6,z\n"u8.ToArray();
        Generator generator = new(1);
        (int loaded, int refused) = (0, 0);
        for (int trial = 0; trial < 3000; trial++)
        {
            byte[] damaged = [.. whole.AsSpan(0, trial % 3 == 0 ? generator.Next(whole.Length) : whole.Length)];
            for (int change = trial % 4; change > 0 && damaged.Length > 0; change--)
            {
                // What means something to a reader comes more often than chance would bring it.
                damaged[generator.Next(damaged.Length)] = generator.Next(2) == 0 ? (byte)generator.Next(256) : "\",\n\r\0"u8[generator.Next(5)];
            }

            try
            {
                CsvData data = CsvData.Read(folder.Write("damaged.csv", damaged));
                Assert.Equal(data.Count, data.ToLabels(data.Columns[^1]).Labels.Length);
                Assert.Equal([data.Count, 1], data.ToTensor(data.Columns[0]).Shape);
                loaded++;
            }
            catch (DataFileException)
            {
                refused++;
            }
        }

        Assert.True(loaded > 300 && refused > 300, $"{loaded} loaded, {refused} refused"); // Both ways were taken.
    }

    private CsvData Read(string text, char separator = ',', bool hasHeader = true) =>
        CsvData.Read(folder.Write("table.csv", text), separator, hasHeader);

    private static void Refuses(Action read, params string[] parts)
    {
        string message = Assert.Throws<DataFileException>(read).Message;
        Assert.All(parts.Append("table.csv"), part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}
