using Minigrad.Autodiff;

namespace Minigrad.Layers;

/// <summary>
/// Until disposed, hears what the layers that run on this thread compute. While it listens no output is skipped: layers that
/// otherwise run as one run one after another. One that is made inside another hears in its place.
/// </summary>
internal sealed class LayerListener : IDisposable
{
    [ThreadStatic]
    private static LayerListener? current;

    private readonly LayerListener? outer = current;
    private readonly Action<Layer, Tensor> output;
    private readonly Action<RecurrentLayer, int, Tensor, PackedSteps>? gates;

    /// <summary>Begins to listen.</summary>
    /// <param name="output">Hears each layer's output.</param>
    /// <param name="gates">
    /// Hears what meets the gates of a recurrent layer's direction, by its number, at each step: the projected inputs, whose
    /// gradients are those that reach the step, along the sequence as well.
    /// </param>
    public LayerListener(Action<Layer, Tensor> output, Action<RecurrentLayer, int, Tensor, PackedSteps>? gates = null)
    {
        (this.output, this.gates) = (output, gates);
        current = this;
    }

    /// <summary>Who listens on this thread.</summary>
    public static LayerListener? Current => current;

    /// <summary>Tells of an output.</summary>
    public void Hear(Layer layer, Tensor value) => output(layer, value);

    /// <summary>Tells of the projected inputs of a direction.</summary>
    public void HearGates(RecurrentLayer layer, int direction, Tensor projected, PackedSteps steps) =>
        gates?.Invoke(layer, direction, projected, steps);

    /// <summary>Stops listening.</summary>
    public void Dispose() => current = outer;
}
