using System.Buffers;
using Minigrad.Backends;

namespace Minigrad.Autodiff;

/// <summary>Which rows of a table the rows of a tensor are copies of, as long as the tensor has not changed since.</summary>
/// <param name="Table">Where a gradient of the table goes, or null if it needs none.</param>
/// <param name="Shape">The table's shape: <c>[any, width]</c>.</param>
/// <param name="Rows">For each row of the tensor, the table's row.</param>
/// <param name="Padding">A row of the table that takes no gradient, or null.</param>
/// <param name="Copies">The tensor's numbers.</param>
/// <remarks>The table itself is not held: a tensor that is looked up in itself again and again would never be free.</remarks>
internal sealed record RowLookup(Node? Table, Shape Shape, int[] Rows, int? Padding, Storage Copies)
{
    private readonly int version = Copies.Version;

    /// <summary>Whether a tensor's numbers are the copies still.</summary>
    /// <param name="storage">The tensor's numbers.</param>
    public bool Holds(Storage storage) => ReferenceEquals(storage, Copies) && storage.Version == version;

    /// <summary>Finds out which of some rows of the tensor are copies of the same row of the table.</summary>
    /// <param name="places">The rows of the tensor.</param>
    /// <returns>Null if that would gain little, a row being met less than twice on average, or if padding is among them.</returns>
    public RowRepeats? Repeats(int[] places)
    {
        // What is behind a table's row counts only if that row is there among those met, so nothing has to be cleared before.
        int[] numberOf = ArrayPool<int>.Shared.Rent(Shape[0]);
        int most = places.Length / 2;
        int[] met = new int[most];
        int[] first = new int[most];
        int[] numbers = new int[places.Length];
        int count = 0;
        bool isWorthIt = most > 0;
        for (int i = 0; i < places.Length && isWorthIt; i++)
        {
            int row = Rows[places[i]];
            int number = numberOf[row];
            if ((uint)number >= (uint)count || met[number] != row)
            {
                isWorthIt = count < most && row != Padding;
                if (isWorthIt)
                {
                    (met[count], first[count]) = (row, places[i]);
                    numberOf[row] = number = count++;
                }
            }

            numbers[i] = number;
        }

        ArrayPool<int>.Shared.Return(numberOf);
        return isWorthIt ? new RowRepeats(met[..count], first[..count], numbers) : null;
    }
}
