using System.Text;
using Minigrad.Autodiff;

namespace Minigrad;

/// <summary>Where the NaN or the infinity in a tensor came from. <see cref="ToString"/> says it in words.</summary>
public sealed class AnomalyReport
{
    private const int NamedOperations = 6;
    private readonly string subject;
    private readonly bool followsOverflows;

    internal AnomalyReport(string subject, Taint taint, LossScaleNode? scale = null)
    {
        LossScale = scale?.Scale;
        followsOverflows = scale is { IsDynamic: true };
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

    /// <summary>
    /// What the loss, and so every gradient, was multiplied by, where what is not finite is a gradient and backward was called on what
    /// an optimizer's <c>Scale</c> gave; else null.
    /// </summary>
    public double? LossScale { get; }

    /// <summary>What to do about it.</summary>
    internal string Advice => this switch
    {
        { OverflowedByScale: true } => string.Empty,
        { First.RoundedTo: Precision.Half } => " Half precision is too small for this number: scale the data or the weights down, normalise, or compute this part in Precision.BFloat16 or, inside `using (new EmulatedPrecision(Precision.Full))`, in float32.",
        { First.RoundedTo: Precision.BFloat16 } => " bfloat16 is too small for this number: scale the data or the weights down, normalise, or compute this part inside `using (new EmulatedPrecision(Precision.Full))`, in float32.",
        _ => " Keep the operands at that place in their range: clamp them, add a small number to a divisor or under a root or a logarithm, scale the data, or lower the learning rate.",
    };

    /// <summary>Whether a gradient overflowed that is scaled: with a smaller scale it might not have.</summary>
    private bool IsScaledOverflow => LossScale > 1 && First is { IsBackward: true, HeldBy: null } && float.IsInfinity(First.Value);

    /// <summary>Whether it was the loss scale that made a number too large for the format that it was rounded to.</summary>
    private bool OverflowedByScale => IsScaledOverflow
        && Math.Abs(First.RoundedFrom / LossScale ?? double.PositiveInfinity) <= RoundedNumber.Largest(First.RoundedTo);

    private string ScaleText
    {
        get
        {
            if (!IsScaledOverflow)
            {
                return string.Empty;
            }

            string unscaled = First.RoundedFrom is { } exact ? AnomalySource.Text((float)(exact / LossScale!.Value)) : string.Empty;
            string remedy = followsOverflows
                ? "A dynamic loss scale falls on such an overflow: go on to the optimizer's Step(), which skips this step and lowers the scale."
                : "A static loss scale stays: make it smaller, or let LossScaling.Dynamic() find one.";
            string text = $" The loss was scaled by {AnomalySource.Text((float)LossScale!.Value)}";
            return this switch
            {
                { OverflowedByScale: true } => $"{text}, without which the number would be {unscaled}: the scale is too large here, and nothing else is wrong. {remedy}",
                { First.RoundedFrom: not null } => $"{text}, but without that the number would be {unscaled}, too large as well.",
                _ => $"{text}, which may be why. {remedy}",
            };
        }
    }

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

        return text.Append(ScaleText).ToString();
    }
}
