using System.Buffers;

namespace Minigrad.Autodiff;

/// <summary>Which rows of a table the rows of a tensor are copies of, as long as the tensor has not changed since.</summary>
/// <param name="Table">The table: <c>[any, width]</c>.</param>
/// <param name="Rows">For each row of the tensor, the table's row.</param>
/// <param name="Padding">A row of the table that takes no gradient, or null.</param>
/// <param name="Version">The tensor's version when the rows were copied.</param>
internal sealed record RowLookup(Tensor Table, int[] Rows, int? Padding, int Version)
{
    /// <summary>Finds out which of some rows of the tensor are copies of the same row of the table.</summary>
    /// <param name="places">The rows of the tensor.</param>
    /// <param name="first">For each different row, the first place in the tensor that has it.</param>
    /// <param name="numbers">For each of the rows asked for, which of the different ones it is.</param>
    /// <returns>Whether a row is met twice on average, and none is padding; else it is not worth the trouble.</returns>
    public bool FindRepeats(int[] places, out int[] first, out int[] numbers)
    {
        int most = places.Length / 2;
        int[] numberOf = ArrayPool<int>.Shared.Rent(Table.Shape[0]);
        Array.Fill(numberOf, -1, 0, Table.Shape[0]);
        numbers = new int[places.Length];
        List<int> different = [];
        bool isPadded = false;
        for (int i = 0; i < places.Length && different.Count <= most && !isPadded; i++)
        {
            int row = Rows[places[i]];
            isPadded = row == Padding;
            if (numberOf[row] < 0)
            {
                numberOf[row] = different.Count;
                different.Add(places[i]);
            }

            numbers[i] = numberOf[row];
        }

        ArrayPool<int>.Shared.Return(numberOf);
        first = [.. different];
        return first.Length <= most && !isPadded;
    }
}
