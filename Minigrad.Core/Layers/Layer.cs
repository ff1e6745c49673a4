using Minigrad.Autodiff;

namespace Minigrad.Layers;

/// <summary>A module from one tensor to one tensor.</summary>
public abstract class Layer : Module
{
    /// <summary>Computes the output.</summary>
    /// <param name="input">The input; each layer says which shape it takes.</param>
    /// <exception cref="ShapeException">The shape does not fit; the message begins with the layer's path.</exception>
    public Tensor Forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using LayerScope scope = Enter();

        // Not by Named, which takes a closure: this runs for every layer of every step.
        Tensor output;
        try
        {
            output = Compute(input);
        }
        catch (ShapeException exception) when (exception is not LayerShapeException)
        {
            throw WithPath(exception);
        }

        Observe(output);
        return output;
    }

    /// <summary>
    /// A table of the layers in the order in which they end: path, kind, output shape, number of parameters. One that is made
    /// of layers has a line only for parameters of its own beside theirs.
    /// </summary>
    /// <param name="inputShape">
    /// The shape of an input. The layers run once on zeros, as in use, without recording, where the model's parameters are; the
    /// mode of each layer is afterwards what it was.
    /// </param>
    /// <exception cref="ShapeException">The shape does not fit; the message begins with the layer's path.</exception>
    public string Summary(params ReadOnlySpan<int> inputShape)
    {
        List<(string Path, string Kind, string Shape, long Count)> rows = [];
        (Module Module, bool IsTraining)[] modes = Modes();
        using LayerListener listener = new((layer, output) =>
        {
            if (layer.Children.Count == 0 || layer.OwnParameterCount > 0)
            {
                rows.Add((layer.Path, layer.ToString()!, output.Shape.ToString(), layer.OwnParameterCount));
            }
        });
        try
        {
            Evaluate();
            using NoGrad scope = new();
            Tensor zeros = Tensor.Zeros(inputShape);
            Tensor? held = NamedParameters().Concat(NamedBuffers()).Select(entry => entry.Tensor).FirstOrDefault();
            Forward(held is null ? zeros : zeros.To(held.Backend));
        }
        finally
        {
            RestoreModes(modes);
        }

        return SummaryTable.Text(rows, this);
    }

    /// <summary>The kind of layer and its sizes, as <c>Linear(784 → 128)</c>.</summary>
    public override string ToString() => GetType().Name;

    /// <summary>Computes the output; write this in a layer of your own.</summary>
    /// <param name="input">The input.</param>
    protected abstract Tensor Compute(Tensor input);

    /// <summary>Runs a part of the layer; a shape that does not fit there is told with the layer's path in front.</summary>
    private protected TResult Named<TResult>(Func<TResult> compute)
    {
        using LayerScope scope = Enter();
        try
        {
            return compute();
        }
        catch (ShapeException exception) when (exception is not LayerShapeException)
        {
            throw WithPath(exception);
        }
    }

    /// <summary>What is told when a shape does not fit somewhere in the layer: the layer's path in front.</summary>
    private protected LayerShapeException WithPath(ShapeException exception) =>
        new($"In layer {Title}: {exception.Message}", exception);

    /// <summary>Whether someone is listening for the output of each layer, so that none may be skipped.</summary>
    private protected static bool IsObserved => LayerListener.Current is not null;

    /// <summary>Shows an output to who is listening, such as a summary.</summary>
    private protected void Observe(Tensor output) => LayerListener.Current?.Hear(this, output);
}
