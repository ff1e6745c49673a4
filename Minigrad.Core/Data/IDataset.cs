namespace Minigrad.Data;

/// <summary>Numbered rows, of which any can be taken together as a batch.</summary>
/// <typeparam name="TBatch">What rows taken together are.</typeparam>
public interface IDataset<out TBatch>
{
    /// <summary>The number of rows.</summary>
    int Count { get; }

    /// <summary>Some rows as a batch, in the order asked for. It is called on another thread if a loader prepares ahead.</summary>
    /// <param name="rows">Row numbers, 0 … count − 1; one may come more than once.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ShapeException">They are more numbers together, with padding, than one array holds.</exception>
    TBatch Take(ReadOnlySpan<int> rows);
}
