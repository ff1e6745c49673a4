namespace Minigrad.Plots;

/// <summary>One diagram of a chart: lines that share a vertical axis.</summary>
/// <param name="Label">What the vertical axis shows.</param>
/// <param name="Series">The lines; from the seventh on they have the colours of the first six, and are dashed.</param>
public sealed record Panel(string Label, IReadOnlyList<Series> Series)
{
    /// <summary>What the vertical axis shows.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public string Label
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Label));
    } = Label ?? throw new ArgumentNullException(nameof(Label));

    /// <summary>The lines.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">One of the series is null.</exception>
    public IReadOnlyList<Series> Series
    {
        get;
        init => field = Plots.Series.CheckAll(value, nameof(Panel), nameof(Series));
    } = Plots.Series.CheckAll(Series, nameof(Panel), nameof(Series));

    /// <summary>
    /// Points to mark, drawn as dots over the lines, in the colours that come after theirs; together with the lines at most as many
    /// as there are distinguishable colours (6).
    /// </summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">One of the series is null.</exception>
    public IReadOnlyList<Series> Marks
    {
        get;
        init => field = Plots.Series.CheckAll(value, nameof(Panel), nameof(Marks));
    } = [];

    /// <summary>Whether the vertical axis is logarithmic; values that are not positive leave gaps.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>What this panel's own horizontal axis shows; null to share the chart's.</summary>
    public string? HorizontalLabel { get; init; }

    /// <summary>Whether the panel's own horizontal axis is logarithmic.</summary>
    public bool IsHorizontalLogarithmic { get; init; }
}
