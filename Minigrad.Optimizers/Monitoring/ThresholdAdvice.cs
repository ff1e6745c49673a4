using System.Globalization;
using System.Net;
using System.Text;
using Minigrad.Optimizers.Clipping;
using Minigrad.Optimizers.Thresholds;
using Minigrad.Plots;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>What a <see cref="ThresholdAdvisor"/> makes of a record.</summary>
public sealed class ThresholdAdvice
{
    /// <summary>An unclipped step with so many times the median norm, and the norm of its time, has thrown the weights away.</summary>
    private const double WreckingRatio = 1e4;

    /// <summary>So many times the median is an explosion.</summary>
    private const double SpikeRatio = 100;

    /// <summary>And it is so many times the norm of its time. Where a network explodes the first norms are large as well, so this is less.</summary>
    private const double TimelySpikeRatio = 30;

    /// <summary>Where the norms of the first quarter are so many times those of the last, no number suits both.</summary>
    private const double FallRatio = 10;

    /// <summary>A norm is usual if it is like those of so many steps before it.</summary>
    private const int Window = 100;

    /// <summary>c / max(n, c), as the stage itself has it.</summary>
    private static readonly NormDecision Coefficient = new(isCommon: 1, (int)NormMeasure.Norm, epsilon: 0);

    private const string HalfMedian = "half the median";
    private const string NinetyFive = "p95";

    private readonly double[] norms;
    private readonly double[] course;

    /// <summary>Reads a record.</summary>
    /// <param name="history">The record.</param>
    /// <param name="course">Its norms in the order in which they came, as <see cref="HasNorm"/> has them.</param>
    internal ThresholdAdvice(StepHistory history, double[] course)
    {
        this.course = course;
        norms = [.. course.Order()];
        StepCount = history.StepCount;
        Median = StepHistory.Quantile(norms, 0.5);
        Percentile90 = StepHistory.Quantile(norms, 0.9);
        Percentile95 = StepHistory.Quantile(norms, 0.95);
        Largest = history.Rows.Aggregate(0.0, (largest, row) => Math.Max(largest, row.LargestMadeNorm));

        // A single explosion would set the mean of all, and it is the usual norm that is asked for.
        double usual = StepHistory.Quantile(norms, 0.99);
        Mean = norms.TakeWhile(norm => norm <= usual).Average();
        foreach ((StepRow row, double usualNorm) in WithUsualNorms(history.Rows))
        {
            IsSpiky |= !(row.LargestMadeNorm < Math.Max(SpikeRatio * Median, TimelySpikeRatio * usualNorm));
            ExplodedAt ??= row.ClippedSteps == 0 && !(row.LargestMadeNorm < WreckingRatio * Math.Max(Median, usualNorm)) ? row.Step : null;
        }

        Suggestion = ExplodedAt is not null ? null : Rounded(IsSpiky ? Median / 2 : Percentile95);
        Candidates =
        [
            Replay(Median / 2, HalfMedian),
            Replay(Range.Low, "half the mean"),
            Replay(Mean, "the mean"),
            Replay(Percentile90, "p90"),
            Replay(Percentile95, NinetyFive),
            Replay(Range.High, "ten times the mean"),
        ];
    }

    /// <summary>How many steps were recorded.</summary>
    public int StepCount { get; }

    /// <summary>The median norm.</summary>
    public double Median { get; }

    /// <summary>The mean norm, the largest hundredth left out.</summary>
    public double Mean { get; }

    /// <summary>The norm that nine steps of ten stay below.</summary>
    public double Percentile90 { get; }

    /// <summary>The norm that nineteen steps of twenty stay below.</summary>
    public double Percentile95 { get; }

    /// <summary>The largest norm of a step that was made; NaN if one was.</summary>
    public double Largest { get; }

    /// <summary>
    /// Half to ten times the mean norm, in which Pascanu, Mikolov and Bengio (2012, arXiv:1211.5063) found that training converges.
    /// </summary>
    public (double Low, double High) Range => (Mean / 2, Mean * 10);

    /// <summary>
    /// Whether norms of a hundred times the median occurred that were thirty times those of their time as well, the median of the
    /// hundred steps before or, at the beginning, of the first twenty: in a run that converges the median of all is far below the
    /// first norms, none of which is a spike.
    /// </summary>
    public bool IsSpiky { get; }

    /// <summary>
    /// The first step that exploded without being clipped, so that the norms after it are those of a network that was thrown away;
    /// null if none did.
    /// </summary>
    public int? ExplodedAt { get; }

    /// <summary>
    /// The threshold to begin with, to two digits. Where norms explode now and then it is half the median, so that such a step
    /// weighs less than an ordinary one; Pascanu's half of the mean would be set by the explosions. Where they do not explode
    /// it is the 95th percentile, so that only the odd step is touched. Null after a record that exploded, which says nothing about the
    /// network that one wants to train.
    /// </summary>
    public double? Suggestion { get; }

    /// <summary>What the ends of the range and the percentiles would have done.</summary>
    public IReadOnlyList<ThresholdReplay> Candidates { get; }

    /// <summary>
    /// What a threshold would have done to the recorded steps: a number, a schedule, or a rule that sees their norms go by.
    /// </summary>
    /// <param name="threshold">c.</param>
    /// <param name="name">What it is called; the threshold itself if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN.</exception>
    /// <exception cref="InvalidOperationException">A schedule gives such a threshold.</exception>
    public ThresholdReplay Replay(Threshold threshold, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(threshold);
        threshold.Check(nameof(ThresholdAdvice), nameof(Replay));
        double[] memory = new double[threshold.SeriesLength];
        double[] thresholds = new double[course.Length];
        (int clipped, double coefficients, double largest) = (0, 0, 0);
        for (int step = 0; step < course.Length; step++)
        {
            double norm = course[step];
            AppliedRule rule = threshold.At(step, nameof(ThresholdAdvice), nameof(Replay));
            double limit = thresholds[step] = rule.Threshold(norm, norm, memory, 0);
            if (threshold.SeesNorms)
            {
                rule.Observe(memory, 0);
            }

            clipped += norm > limit ? 1 : 0;
            coefficients += Coefficient.Factor(norm, limit);
            largest = Math.Max(largest, Math.Min(norm, limit));
        }

        Array.Sort(thresholds);
        return new ThresholdReplay(
            name ?? threshold.ToString(),
            StepHistory.Quantile(thresholds, 0.5),
            (double)clipped / course.Length,
            coefficients / course.Length,
            largest);
    }

    /// <summary>The norms as a histogram with the candidates and the suggestion.</summary>
    /// <param name="title">The heading.</param>
    public HistogramChart ToHistogram(string title = "Gradient norms and thresholds") => new(title, "gradient norm before clipping", norms)
    {
        IsLogarithmic = true,
        Markers = [.. Candidates.Select(candidate => (Suggestion is not null && candidate.Name == Suggested ? $"suggested: {candidate.Name}" : candidate.Name, candidate.Threshold))],
    };

    /// <summary>The advice in words, with a table of the candidates.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (string line in Lines())
        {
            text.AppendLine(line);
        }

        text.AppendLine("threshold                       clips  mean coefficient");
        foreach (ThresholdReplay candidate in Candidates)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{candidate.Threshold,9:g3}  {candidate.Name,-18}  {candidate.ClippedShare,6:p1}  {candidate.MeanCoefficient,16:0.00}");
        }

        return text.ToString().TrimEnd();
    }

    /// <summary>The advice, the table and the histogram as a piece of HTML, for a notebook or a report.</summary>
    public string ToHtml()
    {
        StringBuilder html = new("<div>\n");
        foreach (string line in Lines())
        {
            html.Append("<p>").Append(WebUtility.HtmlEncode(line)).Append("</p>\n");
        }

        html.Append("<table><tr><th>threshold</th><th></th><th>clips</th><th>mean coefficient</th></tr>\n");
        foreach (ThresholdReplay candidate in Candidates)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{candidate.Threshold:g3}</td><td>{WebUtility.HtmlEncode(candidate.Name)}</td><td>{candidate.ClippedShare:p1}</td><td>{candidate.MeanCoefficient:0.00}</td></tr>\n");
        }

        return html.Append("</table>\n").Append(ToHistogram().ToSvg()).Append("</div>\n").ToString();
    }

    private string Suggested => IsSpiky ? HalfMedian : NinetyFive;

    /// <summary>Two digits are more than a threshold needs.</summary>
    private static double Rounded(double threshold) =>
        double.Parse(threshold.ToString("g2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Whether a row's norm counts: a step that was skipped has moved no weight, and the next one like it is skipped too.</summary>
    internal static bool HasNorm(StepRow row) => !row.WasSkipped && double.IsFinite(row.Norm) && row.Norm > 0;

    private IEnumerable<(StepRow Row, double UsualNorm)> WithUsualNorms(IReadOnlyList<StepRow> rows)
    {
        int seen = 0;
        foreach (StepRow row in rows)
        {
            int end = Math.Max(seen, ThresholdAdvisor.FewestNorms);
            yield return (row, MedianOf(course[Math.Max(0, end - Window)..end]));
            seen += HasNorm(row) ? 1 : 0;
        }
    }

    private static double MedianOf(double[] part)
    {
        Array.Sort(part);
        return StepHistory.Quantile(part, 0.5);
    }

    private IEnumerable<string> Lines()
    {
        yield return Text($"{StepCount} steps: gradient norm {Median:g3} (median), {Mean:g3} (mean of the lower 99 %), {Percentile90:g3} (p90), {Percentile95:g3} (p95), {Largest:g3} (largest).");
        if (ExplodedAt is { } step)
        {
            yield return Text($"The run exploded at step {step}, and the norms after it are those of a network that this has thrown away, so no threshold is suggested.");
            yield return "Record again at a hundredth of the learning rate: the norms are those of the same network, and none of its steps can throw it far.";
            yield break;
        }

        yield return Text($"Half to ten times the mean is {Range.Low:g3} to {Range.High:g3}.");
        yield return IsSpiky
            ? Text($"Norms of a hundred times the median occur, so begin low, with half the median: Clip.GlobalNorm({Suggestion:g2}).")
            : Text($"No norm is far from the usual, so clip the largest only, from p95 on: Clip.GlobalNorm({Suggestion:g2}).");
        (double first, double last) = (MedianOf(course[..(course.Length / 4)]), MedianOf(course[^(course.Length / 4)..]));
        if (first > FallRatio * last)
        {
            yield return Text($"The norms fell from {first:g3} to {last:g3}, the medians of the first and the last quarter, so a number acts at the beginning only. Clip.GlobalNorm(Threshold.Percentile(95)) follows them.");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
