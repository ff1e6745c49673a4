using System.Collections;
using Minigrad.Autodiff;

namespace Minigrad.Data;

/// <summary>Goes through a data set in batches, each time from the beginning.</summary>
/// <typeparam name="TBatch">What rows taken together are.</typeparam>
/// <example><code>
/// Loader&lt;LabeledData&gt; loader = new(train, 32, new Generator(1)) { Prefetch = 2 };
/// foreach (LabeledData batch in loader) { … }
/// </code></example>
public sealed class Loader<TBatch> : IEnumerable<TBatch>
{
    private readonly IDataset<TBatch> dataset;
    private readonly Generator? shuffle;

    /// <summary>A loader.</summary>
    /// <param name="dataset">The rows.</param>
    /// <param name="batchSize">How many rows make a batch, at least 1; the last one may be smaller.</param>
    /// <param name="shuffle">Draws a new order each time the loader is gone through; null keeps the order.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is less than 1.</exception>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public Loader(IDataset<TBatch> dataset, int batchSize, Generator? shuffle = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        if (dataset.Count == 0)
        {
            throw new InvalidOperationException(
                $"Batches: the data set is empty ({dataset}), so there is nothing to train on. Check how it was loaded or split.");
        }

        this.dataset = dataset;
        this.shuffle = shuffle;
        BatchSize = batchSize;
    }

    /// <summary>How many rows make a batch.</summary>
    public int BatchSize { get; }

    /// <summary>
    /// Whether a last batch of fewer rows is left out. A data set of fewer rows than one batch then has none, and
    /// <see cref="BatchCount"/> is 0.
    /// </summary>
    public bool DropLast { get; init; }

    /// <summary>
    /// How many batches are prepared ahead, on a thread that lives as long as one run through the loader; 0 prepares each
    /// when it is asked for. It changes neither the order nor the batches: the thread computes under the <see cref="NoGrad"/> and
    /// <see cref="EmulatedPrecision"/> in which the run begins. While anomalies are traced, nothing is prepared ahead. A run that
    /// is broken off waits for the batch in preparation.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int Prefetch
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>The number of batches of one run.</summary>
    public int BatchCount => DropLast ? dataset.Count / BatchSize : (int)(((long)dataset.Count + BatchSize - 1) / BatchSize);

    /// <summary>Begins a run. The order is drawn now, on this thread.</summary>
    public IEnumerator<TBatch> GetEnumerator()
    {
        IEnumerator<TBatch> batches = Batches(Dataset.Order(dataset.Count, shuffle));
        return Prefetch == 0 || AnomalyTrace.Current is not null ? batches : Ahead(batches);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerator<TBatch> Batches(int[] order)
    {
        for (int batch = 0; batch < BatchCount; batch++)
        {
            int start = batch * BatchSize;
            yield return dataset.Take(order.AsSpan(start, Math.Min(BatchSize, order.Length - start)));
        }
    }

    private IEnumerator<TBatch> Ahead(IEnumerator<TBatch> batches)
    {
        using Prefetcher<TBatch> prefetcher = new(batches, Prefetch);
        while (prefetcher.TryTake(out TBatch? batch))
        {
            yield return batch;
        }
    }
}
