namespace Minigrad.Autodiff;

/// <summary>Until disposed, operations on this thread belong to a layer, as far as a trace tells it.</summary>
internal readonly struct LayerScope : IDisposable
{
    private readonly AnomalyTrace? trace;
    private readonly string? outer;

    /// <summary>Enters a layer.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="layer">The layer's path and kind.</param>
    public LayerScope(AnomalyTrace trace, string layer)
    {
        this.trace = trace;
        outer = trace.Layer;
        trace.Layer = layer;
    }

    /// <summary>Leaves the layer.</summary>
    public void Dispose()
    {
        if (trace is not null)
        {
            trace.Layer = outer;
        }
    }
}
