using Minigrad.Numerics;

namespace Minigrad.Tests.Numerics;

/// <summary>What lanes do besides arithmetic, at each width.</summary>
public sealed class LanesTests
{
    private static readonly float[] Edges =
        [float.NaN, float.NegativeInfinity, -1f, -0f, 0f, float.Epsilon, 1f, float.PositiveInfinity];

    [Fact]
    public void The_first_lanes_are_read_and_no_number_beside_them()
    {
        ReadFirst<Lanes128>();
        ReadFirst<Lanes256>();
        ReadFirst<Lanes512>();
    }

    [Fact]
    public void The_first_lanes_are_written_and_no_number_beside_them()
    {
        WriteFirst<Lanes128>();
        WriteFirst<Lanes256>();
        WriteFirst<Lanes512>();
    }

    [Fact]
    public void Lanes_are_exchanged_in_pairs()
    {
        Exchange<Lanes128>();
        Exchange<Lanes256>();
        Exchange<Lanes512>();
    }

    [Fact]
    public void The_first_equal_lane_is_found_or_the_first_NaN()
    {
        FirstEqual<Lanes128>();
        FirstEqual<Lanes256>();
        FirstEqual<Lanes512>();
    }

    [Fact]
    public void The_larger_and_the_smaller_of_two_are_those_of_single_numbers_to_the_bit()
    {
        Extremes<Lanes128>();
        Extremes<Lanes256>();
        Extremes<Lanes512>();
    }

    [Fact]
    public void A_product_is_added_to_a_sum_as_a_multiply_add_has_it_to_the_bit()
    {
        AddProduct<Lanes128>();
        AddProduct<Lanes256>();
        AddProduct<Lanes512>();
    }

    [Fact]
    public void A_product_with_a_number_in_memory_is_added_as_one_with_lanes_that_all_hold_it()
    {
        AddProductFromMemory<Lanes128>();
        AddProductFromMemory<Lanes256>();
        AddProductFromMemory<Lanes512>();
    }

    private static void AddProduct<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        float[] x = Tensor.Normal([T.Count], generator: new Generator(1)).ToArray();
        float[] y = Tensor.Normal([T.Count], generator: new Generator(2)).ToArray();
        foreach (float start in new[] { 0f, -0f, 0.1f, -3f, float.MaxValue, float.NaN, float.NegativeInfinity })
        {
            T sum = start;
            T.AddProduct(T.Load(in x[0], 0), T.Load(in y[0], 0), ref sum);
            float[] found = new float[T.Count];
            T.Store(sum, ref found[0], 0);
            float[] expected = new float[T.Count];
            T.Store(T.MultiplyAdd(T.Load(in x[0], 0), T.Load(in y[0], 0), start), ref expected[0], 0);
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), found.Select(BitConverter.SingleToInt32Bits));
        }
    }

    private static void AddProductFromMemory<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        float[] y = Tensor.Normal([T.Count], generator: new Generator(3)).ToArray();
        foreach (float x in new[] { 0.1f, -0f, 3f, float.MaxValue, float.NaN, float.NegativeInfinity })
        {
            T sum = 0.3f;
            T.AddProduct(in x, T.Load(in y[0], 0), ref sum);
            float[] found = new float[T.Count];
            T.Store(sum, ref found[0], 0);
            T expectedSum = 0.3f;
            T.AddProduct((T)x, T.Load(in y[0], 0), ref expectedSum);
            float[] expected = new float[T.Count];
            T.Store(expectedSum, ref expected[0], 0);
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), found.Select(BitConverter.SingleToInt32Bits));
        }
    }

    private static void ReadFirst<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        for (int count = 1; count <= T.Count; count++)
        {
            // An array that ends with the last number to read: a read past it would be a fault here or there.
            float[] source = [.. Enumerable.Range(1, 3 + count).Select(i => (float)i)];
            float[] expected = [.. source[3..], .. Enumerable.Repeat(-7f, T.Count - count)];
            float[] found = new float[T.Count];
            T.Store(T.LoadPartial(in source[1], 2, count, -7f), ref found[0], 0);
            Assert.Equal(expected, found);

            T.Store(T.LoadPartial(in source[0], 3, count, float.NaN), ref found[0], 0);
            Assert.All(found[count..], lane => Assert.True(float.IsNaN(lane)));
        }
    }

    private static void WriteFirst<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        float[] numbers = [.. Enumerable.Range(1, T.Count).Select(i => (float)i)];
        for (int count = 1; count <= T.Count; count++)
        {
            float[] target = [.. Enumerable.Repeat(-7f, T.Count + 4)];
            T.StorePartial(T.Load(in numbers[0], 0), ref target[1], 1, count);
            Assert.Equal([-7f, -7f, .. numbers[..count], .. Enumerable.Repeat(-7f, T.Count - count + 2)], target);
        }
    }

    private static void Exchange<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        float[] numbers = [.. Enumerable.Range(0, T.Count).Select(i => (float)i)];
        T lanes = T.Load(in numbers[0], 0);
        Assert.Equal(0f, T.First(lanes));
        for (int distance = 1; distance < T.Count; distance *= 2)
        {
            float[] found = new float[T.Count];
            T.Store(T.Exchange(lanes, distance), ref found[0], 0);
            Assert.Equal(numbers.Select(number => (float)((int)number ^ distance)), found);
        }
    }

    private static void FirstEqual<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        for (int lane = 0; lane < T.Count; lane++)
        {
            float[] numbers = [.. Enumerable.Range(0, T.Count).Select(i => i < lane ? 0f : 3f)];
            Assert.Equal(lane, T.FirstEqual(T.Load(in numbers[0], 0), 3f));
            Assert.InRange(T.FirstEqual(T.Load(in numbers[0], 0), 4f), T.Count, int.MaxValue);
            numbers[lane] = float.NaN;
            Assert.Equal(lane, T.FirstEqual(T.Load(in numbers[0], 0), float.NaN));
            numbers[lane] = -0f;
            Assert.Equal(0, T.FirstEqual(T.Load(in numbers[0], 0), 0f));
        }
    }

    private static void Extremes<T>()
        where T : struct, ILanes<T>, IReal<T>
    {
        foreach (float x in Edges)
        {
            foreach (float y in Edges)
            {
                Same(Scalar.Max(x, y).Value, T.First(T.Max(x, y)), x, y);
                Same(Scalar.Min(x, y).Value, T.First(T.Min(x, y)), x, y);
            }
        }
    }

    private static void Same(float expected, float found, float x, float y) =>
        Assert.True(
            BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(found) || (float.IsNaN(expected) && float.IsNaN(found)),
            $"of {x} and {y}: {found}, not {expected}");
}
