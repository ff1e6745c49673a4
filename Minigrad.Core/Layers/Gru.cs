using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// The gated recurrent unit (Cho et al., 2014, arXiv:1406.1078); the formula is in <see cref="GruCell"/>:
/// <c>[batch, time, in] → [batch, time, hidden]</c>.
/// </summary>
public sealed class Gru : Recurrent<GruCell>
{
    /// <summary>A layer with PyTorch's default initialisation: all parameters uniform within ±1/√hidden.</summary>
    /// <param name="inputSize">How many features a step has, at least 1.</param>
    /// <param name="hiddenSize">How many hidden values, at least 1.</param>
    /// <param name="options">Layers, directions, dropout and the like; the defaults if null.</param>
    /// <exception cref="ArgumentException">A size or an option is out of its range.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Gru(int inputSize, int hiddenSize, RecurrentOptions? options = null)
        : base(default, inputSize, hiddenSize, options)
    {
    }
}
