namespace Minigrad.Layers;

/// <summary>How a recurrent layer is built: <c>new Lstm(8, 32, new() { LayerCount = 2, Dropout = 0.2f })</c>.</summary>
public sealed record RecurrentOptions
{
    /// <summary>How many layers are stacked, each reading the outputs of the one below; at least 1.</summary>
    public int LayerCount { get; init; } = 1;

    /// <summary>Whether gates have biases: two for each, as in PyTorch, one with each product.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>
    /// Whether sequences are <c>[batch, time, features]</c>, like the rows of every other layer, or
    /// <c>[time, batch, features]</c>. (PyTorch's default is the latter.)
    /// </summary>
    public bool IsBatchFirst { get; init; } = true;

    /// <summary>Whether each layer also reads the sequence backward; outputs of both directions stand side by side.</summary>
    public bool IsBidirectional { get; init; }

    /// <summary>How likely an output between two layers is dropped in training, from 0 to 1.</summary>
    public float Dropout { get; init; }

    /// <summary>
    /// Whether each gate's recurrent weights begin as an orthogonal matrix, through which signals neither grow nor shrink
    /// (Saxe, McClelland and Ganguli, 2013, arXiv:1312.6120), and not by PyTorch's default, uniform within ±1/√hidden.
    /// </summary>
    public bool HasOrthogonalStart { get; init; }

    /// <summary>
    /// Where initial numbers and dropout masks come from; <see cref="Generator.Default"/> if null. A run with dropout that is to be
    /// resumed to the bit needs one of its own, whose <see cref="Generator.Position"/> it keeps.
    /// </summary>
    public Generator? Generator { get; init; }
}
