using System.Globalization;
using System.Text.Json;
using Minigrad.Layers;
using Minigrad.Optimizers;
using Minigrad.Plots;

namespace Minigrad.Benchmarks;

/// <summary>
/// How the time of a training step grows with the hidden size, the batch, the length of a sequence and the number of
/// parameters. Sizes that are no powers of two are among them, so that a path that serves only round numbers shows.
/// </summary>
internal static class Growth
{
    private static readonly (string Name, string Label, int[] Sizes)[] Curves =
    [
        ("hidden", "hidden size (784-h-10, batch 64)", [1, 4, 16, 50, 128, 200, 387, 512, 1000]),
        ("batch", "batch (784-128-10)", [1, 2, 5, 16, 37, 64, 128, 250, 500]),
        ("length", "steps of a sequence (GRU, hidden 128, batch 16)", [1, 7, 20, 64, 150, 300]),
        ("parameters", "parameters of 1,000 numbers (clip and Adam)", [1, 10, 100, 300, 1000]),
    ];

    /// <summary>A workload for every point of every curve, as <c>hidden_128</c>.</summary>
    public static IEnumerable<Workload> Workloads() =>
        Curves.SelectMany(curve => curve.Sizes.Select(size => new Workload($"{curve.Name}_{size}", () => Prepare(curve.Name, size))));

    /// <summary>Draws measurements of both sides.</summary>
    /// <param name="ours">A file with lines as <c>--growth</c> prints them.</param>
    /// <param name="theirs">The peer's lines of the same names; the fastest of each name counts.</param>
    /// <param name="picture">The SVG file to write.</param>
    public static void Draw(string ours, string theirs, string picture)
    {
        Dictionary<string, double> our = Read(ours);
        Dictionary<string, double> their = Read(theirs);
        new LineChart("Time of a training step, Minigrad and PyTorch", "", [.. Curves.Select(curve => new Panel(
            "µs a step",
            [new Series("Minigrad", Points(curve.Name, our)), new Series("PyTorch", Points(curve.Name, their))])
        {
            IsLogarithmic = true,
            HorizontalLabel = curve.Label,
            IsHorizontalLogarithmic = true,
        })])
        { ColumnCount = 2 }.Save(picture);
    }

    private static Action Prepare(string curve, int size) => curve switch
    {
        "hidden" => Workload.Mlp([784, size, 10], 64, parameters => new Adam(parameters)),
        "batch" => Workload.Mlp([784, 128, 10], size, parameters => new Adam(parameters)),
        "length" => Workload.Characters(new Gru(32, 128), 65, 16, size, parameters => new Adam(parameters), 1),
        _ => Workload.AdamOnly(size, 1000, 1e-3),
    };

    private static IReadOnlyList<(double X, double Y)> Points(string curve, Dictionary<string, double> times) =>
        [.. times.Where(entry => entry.Key.StartsWith(curve + "_", StringComparison.Ordinal))
            .Select(entry => (double.Parse(entry.Key[(curve.Length + 1)..], CultureInfo.InvariantCulture), entry.Value))
            .OrderBy(point => point.Item1)];

    private static Dictionary<string, double> Read(string path)
    {
        Dictionary<string, double> times = [];
        foreach (string line in File.ReadLines(path).Where(line => line.Contains("\"workload\"", StringComparison.Ordinal)))
        {
            JsonElement row = JsonDocument.Parse(line).RootElement;
            string name = row.GetProperty("workload").GetString()!;
            times[name] = Math.Min(times.GetValueOrDefault(name, double.PositiveInfinity), row.GetProperty("microseconds").GetDouble());
        }

        return times;
    }
}
