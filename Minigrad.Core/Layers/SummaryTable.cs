using System.Globalization;
using System.Text;

namespace Minigrad.Layers;

/// <summary>Writes a model's layers as a table.</summary>
internal static class SummaryTable
{
    /// <summary>The table as text, one layer a line, and the number of parameters in all.</summary>
    public static string Text(List<(string Path, string Kind, string Shape, long Count)> rows, Module module)
    {
        long frozen = module.Parameters.Where(parameter => !parameter.RequiresGradient).Sum(parameter => (long)parameter.Length);
        string[][] cells =
        [
            ["layer", "kind", "output", "parameters"],
            .. rows.Select(row => new[] { row.Path, row.Kind, row.Shape, row.Count.ToString("N0", CultureInfo.InvariantCulture) }),
        ];
        int[] widths = [.. Enumerable.Range(0, 4).Select(column => cells.Max(row => row[column].Length))];
        StringBuilder text = new();
        foreach (string[] row in cells)
        {
            string line = $"{row[0].PadRight(widths[0])}  {row[1].PadRight(widths[1])}  {row[2].PadRight(widths[2])}  {row[3].PadLeft(widths[3])}";
            text.AppendLine(line);
        }

        text.Append(CultureInfo.InvariantCulture, $"{module.ParameterCount:N0} parameters, of which {module.ParameterCount - frozen:N0} learn");
        return text.ToString();
    }
}
