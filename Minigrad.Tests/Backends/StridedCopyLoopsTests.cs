using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Copies between strided layouts, held against one element after the other; what is between a target's elements stays.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class StridedCopyLoopsTests
{
    private const float Untouched = -1f;

    private static readonly Gen<int[]> Dimensions =
        Gen.OneOfConst(0, 1, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 100).Array[0, 4]
            .Where(dimensions => dimensions.Aggregate(1, (product, dimension) => product * dimension) <= 20_000);

    private static readonly Gen<(int[] Dimensions, StridedLayout Source, StridedLayout Target, int Threads)> Copies =
        from dimensions in Dimensions
        from source in Layout(dimensions, mayRepeat: true)
        from target in Gen.Frequency((3, Gen.Const(StridedLayout.RowMajor(dimensions))), (1, Layout(dimensions, mayRepeat: false)))
        from threads in Gen.Int[1, 3]
        select (dimensions, source, target, threads);

    [Fact]
    public void Every_element_goes_to_its_place_and_nothing_else_is_written() => Copies.Sample(
        (dimensions, source, target, threads) =>
        {
            float[] x = [.. Enumerable.Range(0, Length(dimensions, source)).Select(place => (float)place)];
            float[] expected = new float[Length(dimensions, target)];
            Array.Fill(expected, Untouched);
            float[] y = [.. expected];
            foreach (int[] index in Indices(dimensions))
            {
                expected[Place(target, index)] = x[Place(source, index)];
            }

            StridedCopyLoops.Copy(new Workers { ThreadCount = threads }, x, source, y, target, dimensions);
            Assert.Equal(expected, y);
        },
        iter: 2000,
        threads: 1);

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(1024, 512)]
    [InlineData(3, 20_000)]
    [InlineData(20_000, 3)]
    [InlineData(40, 3_001)]
    public void A_large_matrix_is_transposed(int rows, int columns)
    {
        float[] x = [.. Enumerable.Range(0, rows * columns).Select(place => (float)place)];
        float[] y = new float[x.Length];
        int[] dimensions = [columns, rows];
        StridedCopyLoops.Copy(new Workers(), x, new StridedLayout(0, [1, columns]), y, StridedLayout.RowMajor(dimensions), dimensions);
        Assert.Equal(Enumerable.Range(0, x.Length).Select(place => (float)((place % rows * columns) + (place / rows))), y);
    }

    /// <summary>Dimensions in some order, each beginning anew with or without a gap, some backwards, and perhaps one that repeats.</summary>
    private static Gen<StridedLayout> Layout(int[] dimensions, bool mayRepeat) =>
        from order in Gen.Shuffle(Enumerable.Range(0, dimensions.Length).ToArray())
        from gaps in Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 3])).Array[dimensions.Length]
        from isReversed in Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true))).Array[dimensions.Length]
        from repeated in Gen.Int[0, 3 * dimensions.Length]
        from offset in Gen.Int[0, 5]
        select Layout(dimensions, order, gaps, isReversed, mayRepeat ? repeated : dimensions.Length, offset);

    private static StridedLayout Layout(int[] dimensions, int[] order, int[] gaps, bool[] isReversed, int repeated, int offset)
    {
        int[] strides = new int[dimensions.Length];
        int step = 1;
        foreach (int axis in order)
        {
            step += gaps[axis];
            strides[axis] = axis == repeated ? 0 : isReversed[axis] ? -step : step;
            offset += isReversed[axis] && axis != repeated ? step * Math.Max(0, dimensions[axis] - 1) : 0;
            step *= Math.Max(1, dimensions[axis]);
        }

        return new StridedLayout(offset, strides);
    }

    /// <summary>How many elements hold a layout.</summary>
    private static int Length(int[] dimensions, StridedLayout layout) =>
        1 + layout.Offset + dimensions.Zip(layout.Strides, (dimension, stride) => Math.Max(0, dimension - 1) * Math.Max(0, stride)).Sum();

    private static int Place(StridedLayout layout, int[] index) =>
        layout.Offset + index.Zip(layout.Strides, (i, stride) => i * stride).Sum();

    private static IEnumerable<int[]> Indices(int[] dimensions)
    {
        int length = dimensions.Aggregate(1, (product, dimension) => product * dimension);
        for (int number = 0; number < length; number++)
        {
            int[] index = new int[dimensions.Length];
            for (int axis = dimensions.Length - 1, rest = number; axis >= 0; axis--)
            {
                (rest, index[axis]) = Math.DivRem(rest, dimensions[axis]);
            }

            yield return index;
        }
    }
}
