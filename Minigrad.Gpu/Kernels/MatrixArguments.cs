namespace Minigrad.Gpu.Kernels;

/// <summary>The shape of a batch of matrix products, with the steps from element to element that transposing comes down to.</summary>
/// <param name="rows">Rows of the result.</param>
/// <param name="columns">Columns of the result.</param>
/// <param name="depth">How many products make one element.</param>
/// <param name="leftRow">The step from row to row of op(A).</param>
/// <param name="leftDepth">The step along the depth of op(A).</param>
/// <param name="leftBatch">The step from one A to the next, 0 if all products share it.</param>
/// <param name="rightDepth">The step along the depth of op(B).</param>
/// <param name="rightColumn">The step from column to column of op(B).</param>
/// <param name="rightBatch">The step from one B to the next, 0 if all products share it.</param>
internal readonly struct MatrixArguments(
    int rows,
    int columns,
    int depth,
    int leftRow,
    int leftDepth,
    int leftBatch,
    int rightDepth,
    int rightColumn,
    int rightBatch)
{
    /// <summary>Rows of the result.</summary>
    public readonly int Rows = rows;

    /// <summary>Columns of the result.</summary>
    public readonly int Columns = columns;

    /// <summary>How many products make one element.</summary>
    public readonly int Depth = depth;

    /// <summary>The step from row to row of op(A).</summary>
    public readonly int LeftRow = leftRow;

    /// <summary>The step along the depth of op(A).</summary>
    public readonly int LeftDepth = leftDepth;

    /// <summary>The step from one A to the next.</summary>
    public readonly int LeftBatch = leftBatch;

    /// <summary>The step along the depth of op(B).</summary>
    public readonly int RightDepth = rightDepth;

    /// <summary>The step from column to column of op(B).</summary>
    public readonly int RightColumn = rightColumn;

    /// <summary>The step from one B to the next.</summary>
    public readonly int RightBatch = rightBatch;
}
