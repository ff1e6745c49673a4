namespace Minigrad.Gpu.Kernels;

/// <summary>Which part of which product a group computes.</summary>
/// <param name="row">The tile's first row.</param>
/// <param name="column">The tile's first column.</param>
/// <param name="batch">Which product of the batch.</param>
/// <param name="result">Which matrix of the result: the product of the batch, after those of the splits before.</param>
/// <param name="begin">Where along the depth the group begins.</param>
/// <param name="end">Where it ends.</param>
internal readonly struct TilePlace(int row, int column, int batch, int result, int begin, int end)
{
    /// <summary>The tile's first row.</summary>
    public readonly int Row = row;

    /// <summary>The tile's first column.</summary>
    public readonly int Column = column;

    /// <summary>Which product of the batch.</summary>
    public readonly int Batch = batch;

    /// <summary>Which matrix of the result.</summary>
    public readonly int Result = result;

    /// <summary>Where along the depth the group begins.</summary>
    public readonly int Begin = begin;

    /// <summary>Where it ends.</summary>
    public readonly int End = end;
}
