namespace Minigrad.Layers;

/// <summary>A shape that does not fit inside a layer; the message begins with the layer's path, and outer layers pass it on.</summary>
internal sealed class LayerShapeException : ShapeException
{
    public LayerShapeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
