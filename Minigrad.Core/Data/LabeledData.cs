namespace Minigrad.Data;

/// <summary>Rows of features, each with a class.</summary>
public sealed class LabeledData : IDataset<LabeledData>
{
    /// <summary>A set of labelled rows.</summary>
    /// <param name="features">The rows, <c>[rows, …]</c>.</param>
    /// <param name="labels">The class of each row. The array is kept, not copied: what is written into it later counts.</param>
    /// <exception cref="ShapeException">There are not as many labels as rows.</exception>
    public LabeledData(Tensor features, int[] labels)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        if (features.Rank == 0 || features.Shape[0] != labels.Length)
        {
            throw new ShapeException(
                $"LabeledData: features of shape {features.Shape} came with {labels.Length} labels; dimension 0 must hold one row for each label.");
        }

        Features = features;
        Labels = labels;
    }

    /// <summary>The rows, <c>[rows, …]</c>.</summary>
    public Tensor Features { get; }

    /// <summary>The class of each row.</summary>
    public int[] Labels { get; }

    /// <summary>The number of rows.</summary>
    public int Count => Labels.Length;

    /// <summary>The rows in parts of a size; the last part may be smaller. <see cref="Loader{TBatch}"/> has more options.</summary>
    /// <param name="size">How many rows make a part, at least 1.</param>
    /// <param name="generator">Shuffles the rows, anew each time they are gone through; null keeps their order.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is less than 1.</exception>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public IEnumerable<LabeledData> Batches(int size, Generator? generator = null)
    {
        // Here as well, so that the error names the parameter of this method.
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return new Loader<LabeledData>(this, size, generator);
    }

    /// <inheritdoc/>
    public LabeledData Take(ReadOnlySpan<int> rows)
    {
        Dataset.CheckRows(this, Count, rows);
        return new LabeledData(Features.IndexSelect(0, rows), Array.ConvertAll(rows.ToArray(), row => Labels[row]));
    }

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"labelled features of shape {Features.Shape}";
}
