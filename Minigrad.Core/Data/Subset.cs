namespace Minigrad.Data;

/// <summary>Some rows of a data set; nothing is copied.</summary>
/// <typeparam name="TBatch">What rows taken together are.</typeparam>
public sealed class Subset<TBatch> : IDataset<TBatch>
{
    private readonly IDataset<TBatch> dataset;
    private readonly int[] chosen;

    /// <summary>Some rows of a data set.</summary>
    /// <param name="dataset">All rows.</param>
    /// <param name="rows">The numbers of the rows to choose, in any order.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public Subset(IDataset<TBatch> dataset, ReadOnlySpan<int> rows)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        Dataset.CheckRows(dataset, dataset.Count, rows, nameof(Subset<>));
        this.dataset = dataset;
        chosen = rows.ToArray();
    }

    /// <summary>The number of rows chosen.</summary>
    public int Count => chosen.Length;

    /// <summary>The numbers of the chosen rows in the whole data set.</summary>
    public ReadOnlySpan<int> Rows => chosen;

    /// <summary>All chosen rows as one batch.</summary>
    public TBatch ToBatch() => dataset.Take(chosen);

    /// <inheritdoc/>
    public TBatch Take(ReadOnlySpan<int> rows)
    {
        Dataset.CheckRows(this, Count, rows);
        int[] inWhole = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            inWhole[i] = chosen[rows[i]];
        }

        return dataset.Take(inWhole);
    }

    /// <summary>What this is, for messages.</summary>
    public override string ToString() => $"{Count} rows of {dataset}";
}
