using CsCheck;
using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>How rows that take many steps are shared among threads: each once, in parts of about equal work, or all together.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class RowWalksTests
{
    [Fact]
    public void Every_row_is_in_one_range_and_ranges_have_about_equally_many_steps() =>
        Gen.Select(Gen.Int[1, 30].Array[1, 90], Gen.Int[1, 9], Gen.Int[1, 8]).Sample((lengths, size, threads) =>
        {
            PackedSteps steps = Steps(lengths);
            List<(int First, int End)> ranges = Ranges(threads, steps, new MatrixProductShape(lengths.Length, size * 40, size * 10));
            Assert.InRange(ranges.Count, 1, threads);
            int next = 0;
            foreach ((int first, int end) in ranges)
            {
                Assert.Equal(next, first);
                Assert.True(end > first && (end % 4 == 0 || end == lengths.Length), $"{first} to {end} of {lengths.Length}");
                long own = steps.StepsBefore(end) - steps.StepsBefore(first);

                // Apart from the four rows to which a range is made whole.
                Assert.True(own <= ((steps.TotalRows + threads - 1) / Math.Min(threads, ranges.Count)) + (4 * steps.Count), $"{own} of {steps.TotalRows}");
                next = end;
            }

            Assert.Equal(lengths.Length, next);
        });

    [Theory]
    [InlineData(2, 32, 64, 256, 256, 2)]
    [InlineData(4, 32, 64, 256, 256, 4)]
    [InlineData(4, 16, 64, 1024, 256, 4)]
    [InlineData(1, 32, 64, 256, 256, 1)]
    [InlineData(2, 7, 64, 1024, 256, 2)]
    [InlineData(2, 4, 64, 1024, 256, 1)]
    [InlineData(2, 1, 300, 1024, 256, 1)]
    [InlineData(4, 32, 4, 4, 1, 1)]
    [InlineData(2, 32, 3, 1024, 256, 1)]
    [InlineData(2, 64, 20, 8192, 1024, 1)]
    [InlineData(8, 20, 64, 1024, 256, 1)]
    [InlineData(8, 20, 64, 64, 16, 5)]
    public void Rows_are_shared_where_that_uses_as_many_threads_as_a_step(
        int threads, int rows, int steps, int columns, int depth, int expected)
    {
        PackedSteps packed = new([.. Enumerable.Repeat(rows, steps)]);
        Assert.Equal(expected, Ranges(threads, packed, new MatrixProductShape(rows, columns, depth)).Count);
    }

    [Fact]
    public void Steps_are_counted_as_they_are_walked() => Gen.Int[1, 12].Array[1, 20].Sample(lengths =>
    {
        PackedSteps steps = Steps(lengths);
        int[] sorted = [.. lengths.OrderDescending()];
        for (int first = 0; first <= sorted.Length; first++)
        {
            Assert.Equal(sorted[..first].Sum(), steps.StepsBefore(first));
            for (int end = first; end <= sorted.Length; end++)
            {
                for (int step = 0; step < steps.Count; step++)
                {
                    Assert.Equal(sorted[first..end].Count(length => length > step), steps.RowsOf(step, first, end));
                }
            }
        }
    });

    [Fact]
    public void An_error_in_a_range_reaches_the_caller()
    {
        Failure walk = default;
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => Run(2, new MatrixProductShape(32, 256, 256) { TransposeRight = true }, walk));
        Assert.Equal("row 16", error.Message);
    }

    private static PackedSteps Steps(int[] lengths) =>
        new([.. Enumerable.Range(0, lengths.Max()).Select(step => lengths.Count(length => length > step))]);

    private static List<(int First, int End)> Ranges(int threads, PackedSteps steps, MatrixProductShape product)
    {
        Walk walk = new(steps, []);
        Run(threads, product, walk);
        return [.. walk.Ranges.Order()];
    }

    private static void Run<TWalk>(int threads, MatrixProductShape product, TWalk walk)
        where TWalk : struct, IRowWalk
    {
        float[] right = new float[product.Columns * product.Depth];
        CpuStorage storage = new(CpuBackend.Instance, right, right.Length);
        RowWalks.Run(new Workers { ThreadCount = threads }, product, right, storage.Packed, walk);
    }

    private readonly struct Walk(PackedSteps steps, List<(int First, int End)> ranges) : IRowWalk
    {
        public List<(int First, int End)> Ranges => ranges;

        public long StepsBefore(int row) => steps.StepsBefore(row);

        public void Run(int first, int end)
        {
            lock (ranges)
            {
                ranges.Add((first, end));
            }
        }
    }

    private readonly struct Failure : IRowWalk
    {
        public long StepsBefore(int row) => row * 100L;

        public void Run(int first, int end)
        {
            if (first > 0)
            {
                throw new InvalidOperationException($"row {first}");
            }
        }
    }
}
