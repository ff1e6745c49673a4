namespace Minigrad.Autodiff;

/// <summary>
/// One operation on the way of a NaN or an infinity, linked to the one before: where it was made or became worse, with what
/// there is to say about it, or where it was only passed on.
/// </summary>
/// <param name="operation">The operation.</param>
/// <param name="previous">Where it came from, or null where it began.</param>
/// <param name="source">What there is to say, or null where it was passed on.</param>
internal sealed class Finding(string operation, Finding? previous, AnomalySource? source)
{
    private static long made;

    /// <summary>How many findings have been made so far.</summary>
    public static long Made => Interlocked.Read(ref made);

    /// <summary>The operation.</summary>
    public string Operation => operation;

    /// <summary>Where it came from, or null where it began.</summary>
    public Finding? Previous => previous;

    /// <summary>What there is to say, or null where it was passed on.</summary>
    public AnomalySource? Source => source;

    /// <summary>When the finding was made: the earlier one of two is nearer to the beginning.</summary>
    public long Sequence { get; } = Interlocked.Increment(ref made);

    /// <summary>When it all began.</summary>
    public long Beginning
    {
        get
        {
            Finding first = this;
            while (first.Previous is { } before)
            {
                first = before;
            }

            return first.Sequence;
        }
    }

    /// <summary>The earlier of two findings of which there may be none.</summary>
    public static Finding? Earlier(Finding? a, Finding? b) =>
        a is null || (b is not null && b.Sequence < a.Sequence) ? b : a;
}
