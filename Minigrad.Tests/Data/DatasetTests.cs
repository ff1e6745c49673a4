using CsCheck;
using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Taking rows and splitting them, for each kind of data.</summary>
public sealed class DatasetTests
{
    [Fact]
    public void Every_row_of_a_split_is_in_exactly_one_part() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[0, 20].Array[1, 6], Gen.ULong).Sample((count, weights, seed) =>
        {
            double[] fractions = [.. weights.Select(weight => weight / (double)Math.Max(1, weights.Sum()))];
            Subset<int[]>[] parts = new CountingData(count).Split(new Generator(seed), fractions);
            Assert.Equal(fractions.Length, parts.Length);
            Assert.Equal(Enumerable.Range(0, weights.Sum() == 0 ? 0 : count), parts.SelectMany(part => part.ToBatch()).Order());
            Assert.All(fractions.Zip(parts), pair => Assert.InRange(pair.Second.Count - (pair.First * count), -1, 1));
        });

    [Fact]
    public void Sizes_are_rounded_by_the_largest_remainder()
    {
        static int[] Sizes(int count, params double[] fractions) =>
            [.. new CountingData(count).Split(null, fractions).Select(part => part.Count)];

        Assert.Equal([7, 2, 1], Sizes(10, 0.7, 0.2, 0.1));
        Assert.Equal([4, 3, 3], Sizes(10, 1.0 / 3, 1.0 / 3, 1.0 / 3));
        Assert.Equal([2, 1, 2], Sizes(5, 0.4, 0.25, 0.35));
        Assert.Equal([5, 2], Sizes(10, 0.5, 0.25));
        Assert.Equal([0, 1], Sizes(1, 0.2, 0.8));
    }

    [Fact]
    public void A_split_without_a_generator_is_contiguous_and_with_a_seed_repeats()
    {
        CountingData data = new(10);
        Assert.Equal([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]], data.Split(null, 0.8, 0.2).Select(part => part.ToBatch()));
        int[] first = data.Split(new Generator(3), 0.8)[0].ToBatch();
        Assert.Equal(first, data.Split(new Generator(3), 0.8)[0].ToBatch());
        Assert.NotEqual(first, data.Split(new Generator(4), 0.8)[0].ToBatch());
    }

    [Fact]
    public void Parts_of_parts_and_their_batches_keep_to_their_rows()
    {
        Subset<int[]> part = new(new CountingData(10), [9, 3, 5]);
        Assert.Equal([5, 9], part.Take([2, 0]));
        Assert.Equal([9, 3, 5], part.Rows.ToArray());
        Assert.Equal([3, 5], new Subset<int[]>(part, [1, 2]).ToBatch());
        Assert.Equal([[9, 3], [5]], new Loader<int[]>(part, 2));
    }

    [Fact]
    public void Fractions_that_make_no_split_are_refused()
    {
        CountingData data = new(10);
        AssertSays(Assert.Throws<ArgumentException>(() => data.Split(null, 0.8, 0.3)), "[0.8, 0.3] sum to 1.1", "at most 1");
        Assert.Throws<ArgumentException>(() => data.Split(null));
        Assert.Throws<ArgumentException>(() => data.Split(null, -0.1, 0.5));
        Assert.Throws<ArgumentException>(() => data.Split(null, double.NaN));
    }

    [Fact]
    public void Labelled_and_paired_rows_are_taken_together()
    {
        LabeledData labeled = new LabeledData(Tensor.Arange(6).Reshape(3, 2), [7, 8, 9]).Take([2, 0]);
        Assert.Equal([4f, 5, 0, 1], labeled.Features.ToArray());
        Assert.Equal([9, 7], labeled.Labels);
        (Tensor inputs, Tensor targets) = new PairedData(Tensor.Arange(6).Reshape(3, 2), Tensor.Arange(3)).Take([1, 1]);
        Assert.Equal([2f, 3, 2, 3], inputs.ToArray());
        Assert.Equal([1f, 1], targets.ToArray());
        (Indices tokens, Indices next) = new TokenData(new Indices([0, 1, 2, 3], [2, 2]), new Indices([4, 5, 6, 7], [2, 2])).Take([1, 0, 1]);
        Assert.Equal([3, 2], tokens.Shape);
        Assert.Equal([2, 3, 0, 1, 2, 3], tokens.Values);
        Assert.Equal([6, 7, 4, 5, 6, 7], next.Values);
    }

    [Fact]
    public void Sequences_are_padded_with_zeros_to_the_longest_of_the_batch()
    {
        SequenceData data = new([Tensor.Ones(1, 2), Tensor.Full([3, 2], 2), Tensor.Full([2, 2], 3)], [5, 6, 7]);
        SequenceBatch batch = data.Take([2, 0]);
        Assert.Equal([2, 2, 2], batch.Inputs.Shape);
        Assert.Equal([3f, 3, 3, 3, 1, 1, 0, 0], batch.Inputs.ToArray());
        Assert.Equal([2, 1], batch.Lengths);
        Assert.Equal([7, 5], batch.Labels);
        Assert.Equal([2, 3, 2], data.Take([0, 1]).Inputs.Shape);
        Assert.Empty(new SequenceData([Tensor.Ones(1, 2)]).Take([0]).Labels);
        Assert.Equal([[1, 3], [2]], new Loader<SequenceBatch>(data, 2).Select(part => part.Lengths));
    }

    [Fact]
    public void Data_that_does_not_fit_together_is_refused()
    {
        AssertSays(Assert.Throws<ShapeException>(() => new PairedData(Tensor.Zeros(3, 1), Tensor.Zeros(2, 1))), "[3, 1]", "[2, 1]");
        AssertSays(Assert.Throws<ShapeException>(() => new TokenData(new Indices([1, 2], [1, 2]), new Indices([1, 2], [2, 1]))), "[1, 2]", "[2, 1]");
        AssertSays(Assert.Throws<ShapeException>(() => new SequenceData([Tensor.Ones(1, 2), Tensor.Ones(0, 2)])), "sequence 1", "[0, 2]", "at least one step");
        AssertSays(Assert.Throws<ShapeException>(() => new SequenceData([Tensor.Ones(1, 2), Tensor.Ones(1, 3)])), "sequence 1", "[1, 3]");
        AssertSays(Assert.Throws<ArgumentException>(() => new SequenceData([null!])), "sequence 0 is null");
        AssertSays(Assert.Throws<ArgumentException>(() => new SequenceData([Tensor.Ones(1, 2), null!])), "sequence 1 is null");
        AssertSays(Assert.Throws<ShapeException>(() => new SequenceData([Tensor.Ones(4)])), "sequence 0", "[4]");
        AssertSays(Assert.Throws<ShapeException>(() => new SequenceData([Tensor.Ones(1, 2)], [1, 2])), "1 sequences", "2 labels");
    }

    /// <summary>Their product would be counted past the end of an int: to a negative number, or to one that is too small.</summary>
    [Theory]
    [InlineData(2048)]
    [InlineData(4096)]
    public void A_batch_of_more_numbers_than_an_array_holds_is_refused(int rows)
    {
        const int Longest = 1 << 20;
        int[] chosen = [.. Enumerable.Range(0, rows).Select(row => row % 2)];
        SequenceData sequences = new([Tensor.Zeros(Longest, 1), Tensor.Zeros(1, 1)]);
        AssertSays(
            Assert.Throws<ShapeException>(() => sequences.Take(chosen)),
            $"Take: {rows:N0} rows",
            "1,048,576 numbers",
            "2,147,483,591",
            "smaller batches");
        TokenData tokens = new(new Indices(new int[2 * Longest], [2, Longest]), new Indices(new int[2 * Longest], [2, Longest]));
        AssertSays(Assert.Throws<ShapeException>(() => tokens.Take(chosen)), $"Take: {rows:N0} rows", "smaller batches");
    }

    [Fact]
    public void Rows_that_do_not_exist_are_refused()
    {
        Action<int>[] takes =
        [
            row => new LabeledData(Tensor.Zeros(3, 1), [0, 1, 2]).Take([0, row]),
            row => new PairedData(Tensor.Zeros(3, 1), Tensor.Zeros(3)).Take([row]),
            row => new TokenData(new Indices([1, 2, 3], [3, 1]), new Indices([1, 2, 3], [3, 1])).Take([row]),
            row => new SequenceData([Tensor.Ones(1, 2), Tensor.Ones(1, 2), Tensor.Ones(1, 2)]).Take([row]),
            row => new Subset<int[]>(new CountingData(5), [0, 1, 2]).Take([row]),
            row => _ = new Subset<int[]>(new CountingData(3), [row]),
        ];
        foreach (Action<int> take in takes)
        {
            AssertSays(Assert.Throws<ArgumentOutOfRangeException>(() => take(3)), "no row 3", "from 0 to 2");
            Assert.Throws<ArgumentOutOfRangeException>(() => take(-1));
        }
    }

    private static void AssertSays(Exception error, params string[] parts) =>
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
}
