namespace Minigrad.Backends;

/// <summary>
/// One input of an elementwise loop, broadcast along the output: element i of the output reads element
/// (i / <see cref="Repeat"/>) mod <see cref="Period"/> of the storage.
/// </summary>
/// <remarks>
/// That one pattern covers an operand of the output's own shape (period = length, repeat = 1), a scalar (period 1), a row
/// added to every row (repeat 1), a column added to every column (period = length / repeat), and a channel in the middle.
/// A pattern that needs more (dimensions 0 and 2 of three) is expanded by a strided copy above the seam.
/// </remarks>
/// <param name="Storage">The numbers.</param>
/// <param name="Period">After how many elements of the operand the pattern starts again, at least 1.</param>
/// <param name="Repeat">How many consecutive outputs read the same element, at least 1.</param>
public readonly record struct Operand(Storage Storage, int Period, int Repeat)
{
    /// <summary>An operand of the output's own shape.</summary>
    /// <param name="storage">The numbers.</param>
    public Operand(Storage storage)
        : this(storage, Math.Max(1, storage.Length), 1)
    {
    }
}
