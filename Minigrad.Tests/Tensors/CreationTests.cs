using MathNet.Numerics.LinearAlgebra;
using Minigrad.Operations;

namespace Minigrad.Tests.Tensors;

/// <summary>How tensors come to be, and what they refuse.</summary>
public sealed class CreationTests
{
    [Fact]
    public void Constants_and_sequences()
    {
        Assert.Equal(new float[6], Tensor.Zeros(2, 3).ToArray());
        Assert.Equal([1f, 1f], Tensor.Ones(2).ToArray());
        Assert.Equal([7f, 7f], Tensor.Full([1, 2], 7f).ToArray());
        Assert.Equal([1, 2], Tensor.Full([1, 2], 7f).Shape);
        Assert.Equal([0f, 1f, 2f], Tensor.Arange(3).ToArray());
        Assert.Equal([2f, 1.5f, 1f, 0.5f], Tensor.Arange(2f, 0f, -0.5f).ToArray());
        Assert.Equal([0f, 0.25f, 0.5f, 0.75f, 1f], Tensor.Linspace(0f, 1f, 5).ToArray());
        Assert.Equal([3f], Tensor.Linspace(3f, 9f, 1).ToArray());
        Assert.Equal([1f, 0f, 0f, 1f], Tensor.Eye(2).ToArray());
        Assert.Equal(0, ((Tensor)5f).Rank);
        Assert.Contains("never arrives", Assert.Throws<ArgumentOutOfRangeException>(() => Tensor.Arange(0f, 1f, -1f)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Tensor.Arange(0f, 1f, 0f));
    }

    [Fact]
    public void A_sequence_never_holds_its_end()
    {
        Assert.Equal([0f, 0.1f, 0.2f], Tensor.Arange(0f, 0.3f, 0.1f).ToArray());
        Assert.Equal([0f, -0.1f, -0.2f], Tensor.Arange(0f, -0.3f, -0.1f).ToArray());
        for (int n = 0; n < 300; n++)
        {
            float end = n * 0.1f;
            float[] values = Tensor.Arange(0f, end, 0.1f).ToArray();
            Assert.InRange(values.Length, n - 1, n);
            Assert.DoesNotContain(values, value => value >= end);
        }
    }

    [Fact]
    public void More_numbers_than_an_array_can_hold_are_refused()
    {
        Assert.Contains("Arange would make 3,000,000,000 numbers", Assert.Throws<ShapeException>(() => Tensor.Arange(3e9f)).Message, StringComparison.Ordinal);
        Assert.Contains("Linspace would make", Assert.Throws<ShapeException>(() => Tensor.Linspace(0f, 1f, int.MaxValue)).Message, StringComparison.Ordinal);
        Assert.Contains("[65536, 65536]", Assert.Throws<ShapeException>(() => Tensor.Eye(65536)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arrays_and_nested_arrays()
    {
        Assert.Equal([2, 2], Tensor.Of(new float[,] { { 1, 2 }, { 3, 4 } }).Shape);
        Assert.Equal([2, 1, 3], Tensor.Of(new[] { new[,] { { 1.0, 2.0, 3.0 } }, new[,] { { 4.0, 5.0, 6.0 } } }).Shape);
        Assert.Equal([1f, 2f, 3f], Tensor.Of(new[] { new[] { 1 }, [2], [3] }).ToArray());
        Assert.Contains(
            "a number beside a row",
            Assert.Throws<ShapeException>(() => Tensor.Of(new object[] { 1f, new[] { 1f } })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "a number beside a row",
            Assert.Throws<ShapeException>(() => Tensor.Of(new object[] { new[] { 1f }, 1f })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "a row of the nested array has 1 elements where an earlier one has 2",
            Assert.Throws<ShapeException>(() => Tensor.Of(new[] { new[] { 1f, 2f }, [3f] })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "3 numbers do not fill shape [2, 2]",
            Assert.Throws<ShapeException>(() => Tensor.Of([1f, 2f, 3f], 2, 2)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "String", Assert.Throws<ArgumentException>(() => Tensor.Of((Array)new[] { "1" })).Message, StringComparison.Ordinal);
        Assert.Contains(
            "negative", Assert.Throws<ShapeException>(() => Tensor.Zeros(2, -1)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "more than", Assert.Throws<ShapeException>(() => Tensor.Zeros(1 << 20, 1 << 20)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Matrices_and_vectors_of_MathNet_come_and_go()
    {
        Matrix<double> matrix = Matrix<double>.Build.DenseOfArray(new double[,] { { 1, 2, 3 }, { 4, 5, 6 } });
        Tensor tensor = Tensor.Of(matrix);
        Assert.Equal([2, 3], tensor.Shape);
        Assert.Equal([1f, 2f, 3f, 4f, 5f, 6f], tensor.ToArray());
        Assert.Equal(6f, tensor.ToMatrix()[1, 2]);
        Assert.Equal(4f, Tensor.Of(tensor.ToMatrix())[1, 0].Item());
        Assert.Equal([1f, 2f], Tensor.Of(Vector<float>.Build.Dense([1f, 2f])).ToVector().ToArray());
        Assert.Equal([1f, 2f], Tensor.Of(Vector<double>.Build.Dense([1.0, 2.0])).ToArray());
        Assert.Throws<ShapeException>(() => tensor.ToVector());
        Assert.Throws<ShapeException>(() => Tensor.Zeros(3).ToMatrix());
    }

    [Fact]
    public void Random_numbers_follow_their_distribution_and_their_seed()
    {
        float[] uniform = Tensor.Uniform([100_000], -1f, 3f, new Generator(1)).ToArray();
        Assert.All(uniform, value => Assert.InRange(value, -1f, 3f));
        Assert.Equal(1.0, uniform.Average(), 0.02);
        float[] normal = Tensor.Normal([100_000], 2f, 3f, new Generator(1)).ToArray();
        Assert.Equal(2.0, normal.Average(), 0.04);
        Assert.Equal(9.0, normal.Average(value => (value - 2.0) * (value - 2.0)), 0.2);
        Assert.Equal(0.6827, normal.Average(value => Math.Abs(value - 2) < 3 ? 1.0 : 0.0), 0.01);
        float[] dropped = Tensor.Random([100_000], new BernoulliDistribution(0.25f, 4f), new Generator(1)).ToArray();
        Assert.Equal(0.25, dropped.Average(value => value == 4f ? 1.0 : 0.0), 0.01);
        Assert.Equal(normal, Tensor.Normal([100_000], 2f, 3f, new Generator(1)).ToArray());
        Assert.NotEqual(normal, Tensor.Normal([100_000], 2f, 3f, new Generator(2)).ToArray());
    }

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(float.NaN, 1f)]
    [InlineData(0f, float.PositiveInfinity)]
    [InlineData(-3e38f, 3e38f)]
    public void Ends_that_nothing_lies_between_are_refused(float low, float high)
    {
        Generator generator = new(5);
        Assert.Contains(
            $"was given [{low}, {high})",
            Assert.Throws<ArgumentOutOfRangeException>(nameof(high), () => Tensor.Uniform([4], low, high, generator)).Message,
            StringComparison.Ordinal);
        Assert.Equal(0ul, generator.Position);
        Assert.Equal([2f, 2f], Tensor.Uniform([2], 2f, 2f).ToArray());
    }

    [Theory]
    [InlineData(0f, -1f)]
    [InlineData(0f, float.NaN)]
    [InlineData(float.NegativeInfinity, 1f)]
    public void A_deviation_below_zero_is_refused(float mean, float standardDeviation)
    {
        Generator generator = new(5);
        Assert.Contains(
            $"mean {mean} and standard deviation {standardDeviation}.",
            Assert.Throws<ArgumentOutOfRangeException>(nameof(standardDeviation), () => Tensor.Normal([4], mean, standardDeviation, generator)).Message,
            StringComparison.Ordinal);
        Assert.Equal(0ul, generator.Position);
        Assert.Equal([2f, 2f], Tensor.Normal([2], 2f, 0f).ToArray());
    }

    [Fact]
    public void Streams_are_independent_and_positions_resume()
    {
        Generator generator = new(5);
        float[] before = Tensor.Uniform([4], generator: generator.For("a")).ToArray();
        Assert.Equal(before, Tensor.Uniform([4], generator: generator.For("a")).ToArray());
        Assert.NotEqual(before, Tensor.Uniform([4], generator: generator.For("b")).ToArray());
        Assert.Equal(0ul, generator.Position);

        float[] all = Tensor.Uniform([10], generator: new Generator(5)).ToArray();
        generator.Position = 6;
        Assert.Equal(all[6..], Tensor.Uniform([4], generator: generator).ToArray());
        Assert.Equal(10ul, generator.Position);
    }

    [Fact]
    public void Purposes_of_neighbouring_streams_are_independent()
    {
        Generator[] generators = [.. Enumerable.Range(0, 64).Select(stream => new Generator(1, (ulong)stream))];
        Generator[] derived = [.. generators.SelectMany(each => Enumerable.Range('a', 26).Select(letter => each.For($"{(char)letter}")))];
        Generator[] nested = [.. generators.Select(each => each.For(string.Empty)), .. generators.Select(each => each.For(string.Empty).For(string.Empty))];
        Generator[] all = [.. generators, .. derived, .. nested];
        Assert.Equal(all.Length, all.Select(each => each.Stream).Distinct().Count());

        // Those of a seed alone stay what they were.
        Assert.Equal(0xAF63DC4C8601EC8Cul, new Generator(1).For("a").Stream);
    }

    [Fact]
    public void Forks_of_one_purpose_differ_and_repeat_with_the_seed()
    {
        Generator first = new(5), second = new(5);
        float[] fork = Tensor.Uniform([4], generator: first.Fork("a")).ToArray();
        Assert.NotEqual(fork, Tensor.Uniform([4], generator: first.Fork("a")).ToArray());
        Assert.Equal(fork, Tensor.Uniform([4], generator: second.Fork("a")).ToArray());
    }

    [Fact]
    public void Choices_come_as_often_as_they_weigh()
    {
        Generator generator = new(3);
        float[] weights = [0, 2, 0, 5, 1, 0];
        int[] counts = new int[weights.Length];
        for (int trial = 0; trial < 8000; trial++)
        {
            counts[generator.Choose(weights)]++;
        }

        Assert.Equal((0, 0, 0), (counts[0], counts[2], counts[5]));
        Assert.InRange(counts[1], 1880, 2120);
        Assert.InRange(counts[3], 4860, 5140);
        Assert.InRange(counts[4], 900, 1100);
        Assert.Equal(1, generator.Choose([0, float.Epsilon]));
        Assert.Equal(0, generator.Choose([float.MaxValue, 0]));
    }

    [Theory]
    [InlineData(new float[] { 1, -2 }, "weight 1 is -2")]
    [InlineData(new float[] { float.NaN, 1 }, "weight 0 is NaN")]
    [InlineData(new float[] { 1, float.PositiveInfinity }, "weight 1 is")]
    [InlineData(new float[] { 0, 0, 0 }, "all 3 weights are 0")]
    [InlineData(new float[] { }, "all 0 weights are 0")]
    public void A_choice_that_cannot_be_made_says_why(float[] weights, string reason)
    {
        Generator generator = new(3);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => generator.Choose(weights)).Message, StringComparison.Ordinal);
        Assert.Equal(0ul, generator.Position);
    }

    [Fact]
    public void Permutations_hold_every_number_once_and_are_even()
    {
        Generator generator = new(3);
        int[] counts = new int[6];
        for (int trial = 0; trial < 6000; trial++)
        {
            int[] order = generator.Permutation(3);
            Assert.Equal([0, 1, 2], order.Order());
            counts[(2 * order[0]) + (order[1] > order[2] ? 1 : 0)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
        Assert.Empty(generator.Permutation(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => generator.Next(0));
    }

    [Theory]
    [InlineData(0ul, 0ul, 0ul, 0x6627E8D5u, 0xE169C58Du)]
    [InlineData(0xFFFFFFFFFFFFFFFFul, 0xFFFFFFFFFFFFFFFFul, 0xFFFFFFFFFFFFFFFFul, 0x408F276Du, 0x41C83B0Eu)]
    [InlineData(0x299F31D0A4093822ul, 0x0370734413198A2Eul, 0x85A308D3243F6A88ul, 0xD16CFE09u, 0x94FDCCEBu)]
    public void The_generator_gives_the_published_numbers_of_Philox(ulong key, ulong upper, ulong lower, uint first, uint second)
    {
        Minigrad.Numerics.Philox.Bits(key, upper, lower, out uint a, out uint b);
        Assert.Equal((first, second), (a, b));
    }
}
