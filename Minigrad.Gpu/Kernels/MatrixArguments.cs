using Minigrad.Backends;

namespace Minigrad.Gpu.Kernels;

/// <summary>A batch of matrix products as a kernel argument, with the steps from element to element that transposing comes down to.</summary>
/// <param name="shape">The products.</param>
/// <param name="splits">Into how many parts the depth is split.</param>
/// <param name="splitDepth">How long a part is, but for the last.</param>
/// <param name="hasBias">1 if a bias is added to each row, else 0.</param>
internal readonly struct MatrixArguments(MatrixProductShape shape, int splits, int splitDepth, int hasBias)
{
    /// <summary>Rows of the result.</summary>
    public readonly int Rows = shape.Rows;

    /// <summary>Columns of the result.</summary>
    public readonly int Columns = shape.Columns;

    /// <summary>How many products make one element.</summary>
    public readonly int Depth = shape.Depth;

    /// <summary>How many products of matrices there are.</summary>
    public readonly int Batch = shape.Batch;

    /// <summary>Into how many parts the depth is split.</summary>
    public readonly int Splits = splits;

    /// <summary>How long a part is, but for the last.</summary>
    public readonly int SplitDepth = splitDepth;

    /// <summary>1 if a bias is added to each row, else 0.</summary>
    public readonly int HasBias = hasBias;

    /// <summary>The step from row to row of op(A).</summary>
    public readonly int LeftRow = shape.TransposeLeft ? 1 : shape.Depth;

    /// <summary>The step along the depth of op(A).</summary>
    public readonly int LeftDepth = shape.TransposeLeft ? shape.Rows : 1;

    /// <summary>The step from one A to the next, 0 if all products share it.</summary>
    public readonly int LeftBatch = shape.SharedLeft ? 0 : shape.Rows * shape.Depth;

    /// <summary>The step along the depth of op(B).</summary>
    public readonly int RightDepth = shape.TransposeRight ? 1 : shape.Columns;

    /// <summary>The step from column to column of op(B).</summary>
    public readonly int RightColumn = shape.TransposeRight ? shape.Depth : 1;

    /// <summary>The step from one B to the next, 0 if all products share it.</summary>
    public readonly int RightBatch = shape.SharedRight ? 0 : shape.Depth * shape.Columns;

    /// <summary>What a group computes.</summary>
    /// <param name="group">The group's number: columns of tiles fastest, then rows of tiles, products, splits.</param>
    /// <param name="tile">How many rows and columns a tile has.</param>
    public TilePlace Place(int group, int tile)
    {
        int across = (Columns + tile - 1) / tile;
        int down = (Rows + tile - 1) / tile;
        int column = group % across;
        int rest = group / across;
        int row = rest % down;
        int matrix = rest / down;
        int split = matrix / Batch;
        int begin = split * SplitDepth;
        int end = begin + SplitDepth;
        if (end > Depth)
        {
            end = Depth;
        }

        return new TilePlace(row * tile, column * tile, matrix % Batch, matrix, begin, end);
    }

    /// <summary>The rows of op(A) that a tile needs.</summary>
    /// <param name="place">The tile.</param>
    public Strip LeftOf(TilePlace place) =>
        new((place.Batch * LeftBatch) + (place.Row * LeftRow), Rows - place.Row, LeftRow, LeftDepth);

    /// <summary>The columns of op(B) that a tile needs.</summary>
    /// <param name="place">The tile.</param>
    public Strip RightOf(TilePlace place) =>
        new((place.Batch * RightBatch) + (place.Column * RightColumn), Columns - place.Column, RightColumn, RightDepth);
}
