namespace Minigrad.Autodiff;

/// <summary>
/// Looks at the result of every operation of this thread until disposed. A result that is not finite is remembered with
/// where that came from, so nothing has to be searched for afterwards: see <see cref="Taint"/>.
/// </summary>
internal sealed class AnomalyTrace : IDisposable
{
    [ThreadStatic]
    private static AnomalyTrace? current;

    private readonly AnomalyTrace? outer = current;
    private readonly SourceLines lines = new();
    private readonly Recording.Scope recording = Recording.Traced();
    private bool isDisposed;

    /// <summary>Begins to trace.</summary>
    public AnomalyTrace()
    {
        Layer = outer?.Layer;
        Opened = outer?.Opened ?? Finding.Made;
        current = this;
    }

    /// <summary>The trace that is open on this thread.</summary>
    public static AnomalyTrace? Current => current;

    /// <summary>How many findings there were before.</summary>
    public long Opened { get; }

    /// <summary>What became infinite by being rounded in the operation that is running.</summary>
    public RoundingWatch Roundings { get; } = new();

    /// <summary>The innermost layer that is running, or null.</summary>
    public string? Layer { get; set; }

    /// <summary>Looks at the result of an operation that is not part of a backward pass, which looks at gradients itself.</summary>
    /// <returns>Whether the operation has to be recorded.</returns>
    public static bool Look(Node node, Tensor result)
    {
        if (BackwardPass.Current is null)
        {
            // What is known already are numbers that are shared: of a reshape, or found inside of the user's own operation.
            node.Origin!.Result = Taint.Of(result.Storage) ?? new Inspection(node, result, node.Origin.Inputs, isBackward: false).Run();
            current?.Roundings.Forget();
        }

        return Recording.IsOn && Array.Exists(node.Inputs, input => input is not null);
    }

    /// <summary>Where the operation that is about to run was called. One that a backward pass records belongs to what is walked.</summary>
    public OperationOrigin OriginOf(ReadOnlySpan<Tensor> inputs) => BackwardPass.Current?.Trace?.Visited is { } walked
        ? new(inputs.ToArray(), walked.Origin?.Layer, walked.Origin?.Line, walked.Operation)
        : new(inputs.ToArray(), Layer, lines.Find(), null);

    /// <summary>Ends the trace, once; one that others have begun inside goes on until they have ended.</summary>
    public void Dispose()
    {
        isDisposed = true;
        while (current is { isDisposed: true } ended)
        {
            ended.recording.Dispose();
            current = ended.outer;
        }
    }
}
