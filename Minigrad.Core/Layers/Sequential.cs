namespace Minigrad.Layers;

/// <summary>
/// Layers one after another, named by their numbers: <c>0</c>, <c>1</c>, …. It takes the shape that its first layer takes, and
/// gives what its last one gives; without layers it gives its input.
/// </summary>
public sealed class Sequential : Layer
{
    /// <summary>A model of layers in order.</summary>
    /// <param name="layers">The layers: <c>new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 1))</c>.</param>
    public Sequential(params IReadOnlyList<Layer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Layers = [.. layers.Select((layer, number) => Child($"{number}", layer))];
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>A layer by its number.</summary>
    /// <param name="number">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public Layer this[int number] => number >= 0 && number < Layers.Count
        ? Layers[number]
        : throw new ArgumentOutOfRangeException(
            nameof(number), number, $"Sequential: there is no layer {number}; this model has {Layers.Count}"
            + (Layers.Count == 0 ? "." : $", numbered from 0 to {Layers.Count - 1}."));

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor output = input;
        for (int number = 0; number < Layers.Count; number++)
        {
            Layer? next = number + 1 < Layers.Count ? Layers[number + 1] : null;
            if (Layers[number] is Linear linear && next is IActivation activation && !IsObserved)
            {
                output = activation.After(linear, output);
                number++;
            }
            else
            {
                output = Layers[number].Forward(output);
            }
        }

        return output;
    }
}
