using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Rows that are read and added to by number, held against plain loops, bit for bit.</summary>
public sealed class LookupLoopsTests
{
    private static readonly Gen<(int Width, int TableRows, int[] Rows)> Lookups =
        from width in Gen.Frequency((5, Gen.Int[0, 70]), (2, Gen.OneOfConst(127, 255, 256, 257, 512, 1000, 1024)))
        from tableRows in Gen.Int[1, 40]
        from rows in Gen.Int[0, tableRows - 1].Array[0, 300]
        select (width, tableRows, rows);

    [Fact]
    public void Gathered_rows_are_those_of_the_table() => Lookups.Sample(
        (width, tableRows, rows) =>
        {
            float[] table = Numbers(tableRows * width, 1);
            float[] expected = [.. rows.SelectMany(row => table.Skip(row * width).Take(width))];
            float[] gathered = new float[expected.Length];
            LookupLoops.Gather(new Workers(), table, new RowNumbers(rows), width, gathered);
            Assert.Equal(expected, gathered);
        },
        iter: 100,
        threads: 1);

    [Fact]
    public void Rows_are_added_from_the_first_to_the_last_on_any_number_of_threads() => Lookups.Sample(
        (width, tableRows, rows) =>
        {
            float[] terms = Numbers(rows.Length * width, 2);
            float[] before = Numbers(tableRows * width, 3);
            float[] expected = [.. before];
            for (int row = 0; row < rows.Length; row++)
            {
                for (int column = 0; column < width; column++)
                {
                    expected[(rows[row] * width) + column] += terms[(row * width) + column];
                }
            }

            foreach (int threads in new[] { 1, 2, 5 })
            {
                float[] sums = [.. before];
                LookupLoops.ScatterAdd(new Workers { ThreadCount = threads }, terms, new RowNumbers(rows), width, sums);
                Assert.Equal(expected, sums);
            }
        },
        iter: 100,
        threads: 1);

    private static float[] Numbers(int count, ulong seed) => Tensor.Normal([count], generator: new Generator(seed)).ToArray();
}
