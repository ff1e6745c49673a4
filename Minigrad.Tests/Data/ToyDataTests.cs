using Minigrad.Data;

namespace Minigrad.Tests.Data;

/// <summary>Made problems: their answers are right, their classes balanced, and a seed makes them again.</summary>
public sealed class ToyDataTests
{
    [Fact]
    public void A_seed_makes_the_same_data_and_another_seed_other()
    {
        Func<Generator, IEnumerable<float>>[] problems =
        [
            generator => ToyData.TwoMoons(50, 0.1f, generator).Features.ToArray(),
            generator => ToyData.Spirals(50, 3, 0.1f, generator).Features.ToArray(),
            generator => ToyData.NoisySine(50, 10, 0.1f, generator),
            generator => ToyData.AddingProblem(10, 9, generator).Inputs.ToArray(),
            generator => ToyData.CopyMemory(10, 5, 4, 8, generator).Inputs.Values.Select(token => (float)token),
            generator => ToyData.Parity(20, 10, generator).Features.ToArray(),
        ];
        foreach (Func<Generator, IEnumerable<float>> make in problems)
        {
            Generator generator = new(1);
            float[] first = [.. make(generator)];
            Assert.Equal(first, make(new Generator(1)));
            Assert.NotEqual(first, make(new Generator(2)));
            Assert.NotEqual(first, make(generator)); // The generator has gone on.
        }
    }

    [Fact]
    public void Moons_without_noise_are_half_circles()
    {
        LabeledData data = ToyData.TwoMoons(101, 0f, new Generator(1));
        Assert.Equal([101, 2], data.Features.Shape);
        Assert.Equal((51, 50), (data.Labels.Count(label => label == 0), data.Labels.Count(label => label == 1)));
        foreach ((float x, float y, int label) in Points(data))
        {
            (float across, float up) = label == 0 ? (x, y) : (1f - x, 0.5f - y);
            Assert.Equal(1f, (across * across) + (up * up), 1e-5f);
            Assert.True(up >= -1e-6f);
        }
    }

    [Fact]
    public void Spirals_without_noise_turn_one_and_a_half_times()
    {
        LabeledData data = ToyData.Spirals(300, 3, 0f, new Generator(1));
        Assert.All(Enumerable.Range(0, 3), arm => Assert.Equal(100, data.Labels.Count(label => label == arm)));
        foreach ((float x, float y, int arm) in Points(data))
        {
            double distance = Math.Sqrt((x * x) + (y * y));
            double angle = 2 * Math.PI * ((1.5 * distance) + (arm / 3.0));
            Assert.Equal(distance * Math.Cos(angle), x, 1e-5);
            Assert.Equal(distance * Math.Sin(angle), y, 1e-5);
            Assert.InRange(distance, 0, 1 + 1e-6);
        }
    }

    [Fact]
    public void Noise_has_the_standard_deviation_asked_for()
    {
        const int Count = 20_000;
        const float Noise = 0.05f;
        (float[] Noisy, float[] Clean)[] pairs =
        [
            (ToyData.TwoMoons(Count, Noise, new Generator(1)).Features.ToArray(), ToyData.TwoMoons(Count, 0, new Generator(1)).Features.ToArray()),
            (ToyData.Spirals(Count, 2, Noise, new Generator(1)).Features.ToArray(), ToyData.Spirals(Count, 2, 0, new Generator(1)).Features.ToArray()),
            (ToyData.NoisySine(Count, 25, Noise, new Generator(1)), ToyData.NoisySine(Count, 25, 0)),
        ];
        foreach ((float[] noisy, float[] clean) in pairs)
        {
            double variance = noisy.Zip(clean, (a, b) => Math.Pow(a - b, 2)).Average();

            // The estimate's own relative deviation is 1 / √(2 n), 0.5 %; five times that is allowed.
            Assert.Equal(Noise, Math.Sqrt(variance), 0.025 * Noise);
        }
    }

    [Fact]
    public void A_sine_repeats_with_its_period()
    {
        float[] wave = ToyData.NoisySine(100, 8, 0f);
        float[] expected = [0, 0.70710678f, 1, 0.70710678f, 0, -0.70710678f, -1, -0.70710678f];
        Assert.All(expected.Zip(wave[40..48]), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void The_target_of_adding_is_the_sum_of_the_marked_numbers()
    {
        foreach (int length in new[] { 2, 3, 10, 51 })
        {
            PairedData data = ToyData.AddingProblem(200, length, new Generator(1));
            Assert.Equal([200, length, 2], data.Inputs.Shape);
            Assert.Equal([200, 1], data.Targets.Shape);
            HashSet<int> marked = [];
            foreach ((float[] steps, float target) in data.Inputs.ToArray().Chunk(2 * length).Zip(data.Targets.ToArray()))
            {
                float[] values = [.. steps.Where((_, place) => place % 2 == 0)];
                float[] marks = [.. steps.Where((_, place) => place % 2 == 1)];
                Assert.All(values, value => Assert.InRange(value, 0f, 1f));
                Assert.Equal(2, marks.Count(mark => mark == 1));
                Assert.Equal(length - 2, marks.Count(mark => mark == 0));
                Assert.Equal(1, marks[..(length / 2)].Count(mark => mark == 1));
                Assert.Equal(values.Zip(marks, (value, mark) => value * mark).Sum(), target);
                marked.UnionWith(Enumerable.Range(0, length).Where(step => marks[step] == 1));
            }

            // 200 draws miss one of at most 26 steps of a half with a chance of about 1 %, and the seed is fixed.
            Assert.Equal(length, marked.Count);
        }
    }

    [Fact]
    public void Copying_gives_the_symbols_again_after_the_signal()
    {
        TokenData data = ToyData.CopyMemory(100, symbols: 3, delay: 4, alphabet: 5, new Generator(1));
        Assert.Equal([100, 10], data.Inputs.Shape);
        foreach ((int[] input, int[] target) in data.Inputs.Values.Chunk(10).Zip(data.Targets.Values.Chunk(10)))
        {
            Assert.All(input[..3], symbol => Assert.InRange(symbol, 1, 5));
            Assert.Equal([0, 0, 0, 6, 0, 0, 0], input[3..]);
            Assert.Equal([0, 0, 0, 0, 0, 0, 0, .. input[..3]], target);
        }

        Assert.Equal([1, 2, 3, 4, 5], data.Targets.Values.Where(token => token > 0).Distinct().Order());
    }

    [Fact]
    public void Parity_is_right_and_balanced_and_its_bits_are_random()
    {
        foreach (int length in new[] { 1, 2, 20 })
        {
            LabeledData data = ToyData.Parity(1000, length, new Generator(1));
            Assert.Equal([1000, length, 1], data.Features.Shape);
            Assert.Equal(500, data.Labels.Sum());
            float[][] sequences = [.. data.Features.ToArray().Chunk(length)];
            Assert.All(sequences.Zip(data.Labels), pair => Assert.Equal(pair.Second, pair.First.Sum() % 2));
            Assert.All(data.Features.ToArray(), bit => Assert.True(bit is 0 or 1));

            // A mean of 1000 fair bits deviates by 0.016; five times that is allowed at each step.
            Assert.All(Enumerable.Range(0, length), step => Assert.InRange(sequences.Average(bits => bits[step]), 0.42, 0.58));
        }
    }

    [Fact]
    public void Sizes_that_make_no_sense_are_refused()
    {
        Action[] wrong =
        [
            () => ToyData.TwoMoons(0), () => ToyData.TwoMoons(5, -1), () => ToyData.Spirals(5, 0), () => ToyData.Spirals(0),
            () => ToyData.NoisySine(0, 5), () => ToyData.NoisySine(5, 0), () => ToyData.NoisySine(5, 5, -1),
            () => ToyData.NoisySine(5, double.PositiveInfinity), () => ToyData.NoisySine(5, double.NaN),
            () => ToyData.AddingProblem(0, 5), () => ToyData.AddingProblem(5, 1),
            () => ToyData.CopyMemory(0, 1, 1), () => ToyData.CopyMemory(1, 0, 1), () => ToyData.CopyMemory(1, 1, 0), () => ToyData.CopyMemory(1, 1, 1, 0),
            () => ToyData.Parity(0, 1), () => ToyData.Parity(1, 0),
        ];
        Assert.All(wrong, make => Assert.Throws<ArgumentOutOfRangeException>(make));

        Action[] large =
        [
            () => ToyData.AddingProblem(100000, 50000), () => ToyData.AddingProblem(1, int.MaxValue), () => ToyData.Parity(50000, 50000),
            () => ToyData.CopyMemory(100000, 10000, 10000), () => ToyData.CopyMemory(1, int.MaxValue, int.MaxValue),
        ];
        Assert.All(large, make => Assert.Contains("one array can hold. Ask for fewer or for shorter ones.", Assert.Throws<ArgumentOutOfRangeException>(make).Message, StringComparison.Ordinal));
        Assert.Contains("ToyData.AddingProblem: 100,000 sequences of 100,000 numbers", Assert.Throws<ArgumentOutOfRangeException>(large[0]).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<(float X, float Y, int Label)> Points(LabeledData data) =>
        data.Features.ToArray().Chunk(2).Zip(data.Labels, (point, label) => (point[0], point[1], label));
}
