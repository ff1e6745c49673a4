namespace Minigrad.Data;

/// <summary>Rows of inputs, each with the row of targets that a model should give for it.</summary>
public sealed class PairedData : IDataset<PairedData>
{
    /// <summary>Inputs with their targets.</summary>
    /// <param name="inputs">The inputs, <c>[rows, …]</c>.</param>
    /// <param name="targets">The targets, <c>[rows, …]</c>.</param>
    /// <exception cref="ShapeException">There are not as many targets as inputs.</exception>
    public PairedData(Tensor inputs, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.Rank == 0 || targets.Rank == 0 || inputs.Shape[0] != targets.Shape[0])
        {
            throw new ShapeException(
                $"PairedData: inputs of shape {inputs.Shape} came with targets of shape {targets.Shape}; dimension 0 of both must be the rows, and equal.");
        }

        Inputs = inputs;
        Targets = targets;
    }

    /// <summary>The inputs, <c>[rows, …]</c>.</summary>
    public Tensor Inputs { get; }

    /// <summary>The targets, <c>[rows, …]</c>.</summary>
    public Tensor Targets { get; }

    /// <summary>The number of rows.</summary>
    public int Count => Inputs.Shape[0];

    /// <inheritdoc/>
    public PairedData Take(ReadOnlySpan<int> rows)
    {
        Dataset.CheckRows(this, Count, rows);
        return new PairedData(Inputs.IndexSelect(0, rows), Targets.IndexSelect(0, rows));
    }

    /// <summary>Takes the pair apart: <c>(Tensor inputs, Tensor targets) = batch</c>.</summary>
    /// <param name="inputs">The inputs, <c>[rows, …]</c>.</param>
    /// <param name="targets">The targets, <c>[rows, …]</c>.</param>
    public void Deconstruct(out Tensor inputs, out Tensor targets) => (inputs, targets) = (Inputs, Targets);

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"inputs of shape {Inputs.Shape} with targets of shape {Targets.Shape}";
}
