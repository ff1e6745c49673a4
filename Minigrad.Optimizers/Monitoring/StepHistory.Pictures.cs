using Minigrad.Plots;

namespace Minigrad.Optimizers.Monitoring;

/// <content>The history as pictures.</content>
public sealed partial class StepHistory
{
    /// <summary>More columns than this cannot be told apart.</summary>
    private const int MostColumns = 128;

    /// <summary>
    /// The gradient norm over the steps with the threshold in force, the clipped steps marked, and the loss below on the same
    /// axis if it was recorded. Where a row stands for several steps, its largest norm is drawn. Of several stages each has a line
    /// of its own, through the steps that it decided, since they compare different numbers.
    /// </summary>
    /// <param name="title">The heading.</param>
    /// <exception cref="InvalidOperationException">All norms are 0.</exception>
    public LineChart ToChart(string title = "Gradient norm")
    {
        CheckCanBeShown();
        List<Series> lines = [new Series(Stride == 1 ? "gradient norm" : $"largest of {Stride} steps", [.. Rows.Select(row => ((double)row.Step, row.LargestNorm))])];
        string[] stages = [.. rows.Where(row => double.IsFinite(row.Threshold)).Select(row => row.Stage!).Distinct()];
        lines.AddRange(stages.Select(stage => new Series(
            stages.Length == 1 ? "threshold" : $"threshold of {stage}",
            [.. rows.Where(row => row.Stage == stage).Select(row => ((double)row.Step, row.Threshold))])));

        List<Series> marks = [];
        AddMarks(marks, "clipped", row => row.ClippedSteps > 0);
        AddMarks(marks, "skipped", row => row.SkippedSteps > 0);
        Panel norms = new("gradient norm", lines) { IsLogarithmic = true, Marks = marks };
        List<(double X, double Y)> losses = [.. rows.Where(row => row.Loss is not null).Select(row => ((double)row.Step, row.Loss!.Value))];
        bool isPositive = losses.TrueForAll(point => point.Y > 0 || double.IsNaN(point.Y));
        return losses.Count == 0
            ? new LineChart(title, "step", norms)
            : new LineChart(title, "step", norms, new Panel("loss", [new Series("loss", losses)]) { IsLogarithmic = isPositive });
    }

    /// <summary>How often which gradient norm occurred, with its quantiles marked. A norm of 0 is not shown.</summary>
    /// <param name="title">The heading.</param>
    /// <exception cref="InvalidOperationException">All norms are 0.</exception>
    public HistogramChart ToHistogram(string title = "Gradient norms")
    {
        CheckCanBeShown();
        double[] norms = FiniteNorms();
        return new HistogramChart(title, "gradient norm", norms)
        {
            IsLogarithmic = true,
            Markers = norms.Length == 0
                ? []
                : [("median", Quantile(norms, 0.5)), ("p90", Quantile(norms, 0.9)), ("p95", Quantile(norms, 0.95)), ("p99", Quantile(norms, 0.99))],
        };
    }

    /// <summary>
    /// The gradient norm of every layer over the steps: what has a name up to its last dot in common is a layer. Layers of several
    /// models that have one name are numbered: "encoder", "encoder (2)". A skipped step has the number of the one before; where that
    /// would leave columns no width, steps are counted with the skipped ones, and the axis says so.
    /// </summary>
    /// <param name="title">The heading.</param>
    /// <exception cref="InvalidOperationException">All norms are 0.</exception>
    public HeatMap ToHeatMap(string title = "Gradient norm of each layer")
    {
        CheckCanBeShown();
        int together = Math.Max(1, (normRows.Count + MostColumns - 1) / MostColumns);
        List<ParameterNormRow> columns = [.. normRows.Where((_, i) => i % together == 0)];
        bool areRising = columns.Zip(columns.Skip(1)).All(pair => pair.First.Step < pair.Second.Step);

        // Rows are evenly spread over the steps that were added.
        double distance = (double)together * NormInterval * normStride;
        string[] layerNames = LayerNames();
        IEnumerable<IGrouping<string, int>> layers = Enumerable.Range(0, names.Count).GroupBy(column => layerNames[column]);
        return new HeatMap(
            title,
            areRising ? "step" : "step, skipped ones counted",
            [.. columns.Select((row, i) => areRising ? row.Step : 1 + (i * distance))],
            [.. layers.Select(layer => (layer.Key, (IReadOnlyList<double?>)[.. columns.Select(row => Combined(row, layer))]))]);
    }

    /// <summary>The layer that a parameter belongs to: its name up to the last dot, or all of it.</summary>
    internal static string LayerOf(string name) => name.LastIndexOf('.') is var dot and > 0 ? name[..dot] : name;

    /// <summary>The layer of each parameter; where a parameter's name has come before, that of another model.</summary>
    private string[] LayerNames()
    {
        Dictionary<string, int> counts = [];
        return [.. names.Select(name =>
        {
            int count = counts[name] = counts.GetValueOrDefault(name) + 1;
            return count == 1 ? LayerOf(name) : $"{LayerOf(name)} ({count})";
        })];
    }

    private static double? Combined(ParameterNormRow row, IEnumerable<int> columns)
    {
        double[] norms = [.. columns.Where(column => column < row.Norms.Count && row.Norms[column] is not null).Select(column => row.Norms[column]!.Value)];
        return norms.Length == 0 ? null : GradientNorm(norms);
    }

    private static double GradientNorm(double[] norms) => Clipping.GradientSet.NormOfNorms(norms, 2);

    /// <summary>Norms of 0 alone leave a logarithmic axis nothing to show.</summary>
    private void CheckCanBeShown()
    {
        if (Rows.Any(row => row.LargestNorm == 0) && rows.TrueForAll(row => row.LargestNorm == 0))
        {
            throw new InvalidOperationException(
                $"StepHistory: all gradient norms of {StepCount} steps are 0, which the logarithmic axis of its pictures cannot show. Does the loss depend on the parameters, or is every unit on the way to them dead? GradientMonitor says which layer receives no gradient.");
        }
    }

    /// <summary>A mark for each row that something happened in, at the height of its norm or, if that is not finite, of the largest.</summary>
    private void AddMarks(List<Series> marks, string name, Func<StepRow, bool> happened)
    {
        List<StepRow> marked = rows.FindAll(row => happened(row));
        if (marked.Count > 0)
        {
            double top = rows.Select(row => row.LargestNorm).Where(double.IsFinite).DefaultIfEmpty(1).Max();
            marks.Add(new Series(name, [.. marked.Select(row => ((double)row.Step, double.IsFinite(row.LargestNorm) ? row.LargestNorm : top))]));
        }
    }
}
