namespace Minigrad.Backends;

/// <summary>
/// The shape of a batch of matrix products C = op(A) · op(B): <c>[rows, depth] × [depth, columns] → [rows, columns]</c>.
/// </summary>
/// <param name="Rows">Rows of op(A) and C.</param>
/// <param name="Columns">Columns of op(B) and C.</param>
/// <param name="Depth">Columns of op(A) and rows of op(B). If it is 0, C is zero.</param>
public readonly record struct MatrixProductShape(int Rows, int Columns, int Depth)
{
    /// <summary>Whether A is stored <c>[depth, rows]</c> and read transposed.</summary>
    public bool TransposeLeft { get; init; }

    /// <summary>Whether B is stored <c>[columns, depth]</c> and read transposed.</summary>
    public bool TransposeRight { get; init; }

    /// <summary>How many products there are.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Whether every product of the batch reads the same, single A.</summary>
    public bool SharedLeft { get; init; }

    /// <summary>Whether every product of the batch reads the same, single B.</summary>
    public bool SharedRight { get; init; }
}
