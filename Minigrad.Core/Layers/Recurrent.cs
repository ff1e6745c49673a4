using Minigrad.Autodiff;
using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// A recurrent layer of any cell: write one struct with the formula of a unit and its backward, and it stacks, runs both
/// ways, carries state, takes sequences of different lengths, and runs on every backend.
/// </summary>
/// <typeparam name="TCell">The cell, a <c>public readonly struct</c>.</typeparam>
public class Recurrent<TCell> : RecurrentLayer
    where TCell : unmanaged, IRecurrentCell
{
    private readonly TCell cell;

    /// <summary>A layer with PyTorch's default initialisation: all parameters uniform within ±1/√hidden.</summary>
    /// <param name="cell">The cell and its constants.</param>
    /// <param name="inputSize">How many features a step has, at least 1.</param>
    /// <param name="hiddenSize">How many hidden values, at least 1.</param>
    /// <param name="options">Layers, directions, dropout and the like; the defaults if null.</param>
    /// <exception cref="ArgumentException">A size, an option or one of the cell's counts is out of its range, or dropout is set with one layer.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Recurrent(TCell cell, int inputSize, int hiddenSize, RecurrentOptions? options = null)
        : base(cell, inputSize, hiddenSize, options) => this.cell = cell;

    private protected sealed override (Tensor Output, Tensor LastHidden, Tensor? LastState) Scan(
        PackedSteps steps, SequenceInputs inputs) => SequenceNode<TCell>.Run(cell, steps, inputs);
}
