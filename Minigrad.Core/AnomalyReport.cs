using System.Text;
using Minigrad.Autodiff;

namespace Minigrad;

/// <summary>Where the NaN or the infinity in a tensor came from. <see cref="ToString"/> says it in words.</summary>
public sealed class AnomalyReport
{
    private const int NamedOperations = 6;
    private readonly string subject;

    internal AnomalyReport(string subject, Taint taint)
    {
        this.subject = $"{subject} {(taint.NaN is null ? "is infinite" : "is NaN")}";
        List<AnomalySource> sources = [];
        List<string> passed = [];
        for (Finding? finding = taint.Worst; finding is not null; finding = finding.Previous)
        {
            if (finding.Source is { } source)
            {
                sources.Add(source);
            }
            else
            {
                passed.Add(finding.Operation);
            }
        }

        sources.Reverse();
        passed.Reverse();
        Sources = sources;
        PassedOnBy = passed;
    }

    /// <summary>Where it began: the first operation that made a NaN or an infinity, or the first to read one that was there already.</summary>
    public AnomalySource First => Sources[0];

    /// <summary>
    /// <see cref="First"/>, then each operation that made something worse of it: NaN of an infinity (∞ − ∞, 0 · ∞), or a bad
    /// gradient of a bad value that the forward pass had masked.
    /// </summary>
    public IReadOnlyList<AnomalySource> Sources { get; }

    /// <summary>The operations that only passed it on, in order; they are not to blame.</summary>
    public IReadOnlyList<string> PassedOnBy { get; }

    /// <summary>All of it in a few sentences.</summary>
    public override string ToString()
    {
        StringBuilder text = new($"{subject}. It began here: {Sources[0]}.");
        foreach (AnomalySource source in Sources.Skip(1))
        {
            text.Append($" Of that, {source}.");
        }

        if (PassedOnBy.Count > 0)
        {
            string others = PassedOnBy.Count > NamedOperations ? $" and {PassedOnBy.Count - NamedOperations} more" : string.Empty;
            text.Append($" Passed on by: {string.Join(", ", PassedOnBy.Take(NamedOperations))}{others}.");
        }

        return text.ToString();
    }
}
