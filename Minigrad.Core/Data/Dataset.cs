using System.Runtime.CompilerServices;

namespace Minigrad.Data;

/// <summary>What can be done with any <see cref="IDataset{TBatch}"/>.</summary>
public static class Dataset
{
    // Fractions such as 0.7 + 0.2 + 0.1 miss their sum by rounding.
    private const double Rounding = 1e-9;

    /// <summary>Divides the rows into parts; no row is in two, and if the fractions sum to 1 each is in one.</summary>
    /// <typeparam name="TBatch">What rows taken together are.</typeparam>
    /// <param name="dataset">The rows.</param>
    /// <param name="generator">Shuffles the rows before; null keeps their order, so that the parts are contiguous.</param>
    /// <param name="fractions">The share of each part: <c>data.Split(generator, 0.8, 0.2)</c>. Sizes are rounded so that their
    /// sum is right (the largest remainders are rounded up).</param>
    /// <returns>One part for each fraction.</returns>
    /// <exception cref="ArgumentException">A fraction is not from 0 to 1, or they sum to more than 1.</exception>
    public static Subset<TBatch>[] Split<TBatch>(
        this IDataset<TBatch> dataset, Generator? generator, params double[] fractions)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(fractions);
        double sum = fractions.Sum();
        if (fractions.Length == 0 || !fractions.All(fraction => fraction is >= 0 and <= 1) || sum > 1 + Rounding)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Split: the fractions [{string.Join(", ", fractions.Select(fraction => FormattableString.Invariant($"{fraction}")))}] sum to {sum}; give one for each part, none negative, that sum to at most 1, as 0.8, 0.2."),
                nameof(fractions));
        }

        int[] order = Order(dataset.Count, generator);
        int[] sizes = Sizes(dataset.Count, fractions, sum);
        Subset<TBatch>[] parts = new Subset<TBatch>[sizes.Length];
        int start = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            parts[part] = new Subset<TBatch>(dataset, order.AsSpan(start, sizes[part]));
            start += sizes[part];
        }

        return parts;
    }

    /// <summary>The row numbers, shuffled if there is a generator.</summary>
    internal static int[] Order(int count, Generator? generator) =>
        generator?.Permutation(count) ?? [.. Enumerable.Range(0, count)];

    /// <summary>Refuses row numbers that a data set does not have.</summary>
    internal static void CheckRows(object dataset, int count, ReadOnlySpan<int> rows, [CallerMemberName] string operation = "")
    {
        foreach (int row in rows)
        {
            if (row < 0 || row >= count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(rows), row, $"{operation}: there is no row {row} in {dataset}; its rows are numbered from 0 to {count - 1}.");
            }
        }
    }

    /// <summary>Refuses a batch of more numbers than an array holds, whose place in it would be counted past the end of an int.</summary>
    internal static void CheckFits(object dataset, int rows, long numbers, [CallerMemberName] string operation = "")
    {
        if (numbers * (double)rows > Array.MaxLength)
        {
            throw new ShapeException(
                $"{operation}: {rows:N0} rows of {dataset}, each of {numbers:N0} numbers in such a batch, are more than the "
                + $"{Array.MaxLength:N0} elements that one array can hold. Take fewer at a time, in smaller batches, and leave the longest out "
                + "or cut them.");
        }
    }

    private static int[] Sizes(int count, double[] fractions, double sum)
    {
        int total = (int)Math.Min(count, Math.Floor((sum * count) + (Rounding * count)));
        int[] sizes = Array.ConvertAll(fractions, fraction => (int)(fraction * count));
        int[] byRemainder = [.. Enumerable.Range(0, sizes.Length).OrderByDescending(part => (fractions[part] * count) - sizes[part])];
        for (int missing = total - sizes.Sum(), next = 0; missing > 0; missing--, next++)
        {
            sizes[byRemainder[next]]++;
        }

        return sizes;
    }
}
