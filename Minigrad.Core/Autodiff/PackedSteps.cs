namespace Minigrad.Autodiff;

/// <summary>
/// Sequences of one batch laid out step by step: first the rows of step 0, then those of step 1, …. Sequences are sorted
/// from the longest to the shortest, so the rows of a step are the first rows of the step before.
/// </summary>
internal sealed class PackedSteps
{
    /// <summary>Lays out sequences.</summary>
    /// <param name="rowCounts">How many sequences reach each step, from many to few; at least one step.</param>
    public PackedSteps(int[] rowCounts)
    {
        RowCounts = rowCounts;
        Starts = new int[rowCounts.Length];
        for (int step = 1; step < rowCounts.Length; step++)
        {
            Starts[step] = Starts[step - 1] + rowCounts[step - 1];
        }

        TotalRows = Starts[^1] + rowCounts[^1];
    }

    /// <summary>How many sequences reach each step.</summary>
    public int[] RowCounts { get; }

    /// <summary>The first row of each step.</summary>
    public int[] Starts { get; }

    /// <summary>The rows of all steps.</summary>
    public int TotalRows { get; }

    /// <summary>How many steps the longest sequence has.</summary>
    public int Count => RowCounts.Length;

    /// <summary>How many sequences there are.</summary>
    public int Batch => RowCounts[0];

    /// <summary>Whether all sequences are equally long, so that the last step holds the end of each.</summary>
    public bool IsUniform => RowCounts[^1] == RowCounts[0];

    /// <summary>How many sequences of a range reach a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="first">The range's first sequence.</param>
    /// <param name="end">The sequence after its last one.</param>
    public int RowsOf(int step, int first, int end) => Math.Max(0, Math.Min(RowCounts[step], end) - first);

    /// <summary>How many steps the sequences before one have together.</summary>
    /// <param name="sequence">The sequence.</param>
    public long StepsBefore(int sequence)
    {
        if (IsUniform)
        {
            return (long)sequence * Count;
        }

        long steps = 0;
        foreach (int rows in RowCounts)
        {
            steps += Math.Min(rows, sequence);
        }

        return steps;
    }

    /// <summary>The row of the last step of each sequence.</summary>
    public int[] LastRows()
    {
        int[] rows = new int[Batch];
        for (int step = 0; step < Count; step++)
        {
            for (int row = 0; row < RowCounts[step]; row++)
            {
                rows[row] = Starts[step] + row;
            }
        }

        return rows;
    }

    /// <summary>For each row after the first step, the row of the same sequence one step before.</summary>
    public int[] RowsBefore()
    {
        int[] rows = new int[TotalRows - Batch];
        int place = 0;
        for (int step = 1; step < Count; step++)
        {
            for (int row = 0; row < RowCounts[step]; row++)
            {
                rows[place++] = Starts[step - 1] + row;
            }
        }

        return rows;
    }
}
