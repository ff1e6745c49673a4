using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Backends;

/// <summary>Running sums, held against one addition after the other: the same bits, whatever the number of threads.</summary>
[Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
public sealed class CumulativeSumLoopsTests
{
    private static readonly Gen<int> Size = Gen.OneOf(Gen.Int[0, 9], Gen.Int[10, 200]);

    private static readonly Gen<AxisLayout> Layouts =
        from outer in Gen.Int[0, 5]
        from axis in Size
        from inner in Gen.Frequency((1, Gen.Const(1)), (2, Size))
        select new AxisLayout(outer, axis, inner);

    private static readonly Gen<float> Number =
        Gen.Frequency((20, Gen.Float[-1e3f, 1e3f]), (1, Gen.OneOfConst(0f, -0f, 1e-42f, 3e38f, float.PositiveInfinity, float.NaN)));

    [Fact]
    public void Sums_are_those_of_one_addition_after_the_other() => Layouts.SelectMany(
        layout => Number.Array[layout.Length].Select(Gen.Bool, Gen.Int[1, 3], (x, reverse, threads) => (layout, x, reverse, threads))).Sample(
        (layout, x, reverse, threads) =>
        {
            float[] y = new float[x.Length];
            CumulativeSumLoops.Run(new Workers { ThreadCount = threads }, x, layout, reverse, y);
            Assert.Equal(Plain(x, layout, reverse).Select(BitConverter.SingleToInt32Bits), y.Select(BitConverter.SingleToInt32Bits));
        },
        iter: 500,
        threads: 1);

    [Theory]
    [InlineData(3, 20_000, 1)]
    [InlineData(1000, 70, 1)]
    [InlineData(1, 300, 1000)]
    [InlineData(2, 3_000, 70)]
    public void Threads_share_large_ones(int outer, int axis, int inner)
    {
        AxisLayout layout = new(outer, axis, inner);
        float[] x = [.. Enumerable.Range(0, layout.Length).Select(place => ((place * 7919) % 1009) - 504.3f)];
        float[] y = new float[x.Length];
        CumulativeSumLoops.Run(new Workers { ThreadCount = 3 }, x, layout, reverse: false, y);
        Assert.Equal(Plain(x, layout, reverse: false), y);
    }

    private static float[] Plain(float[] x, AxisLayout layout, bool reverse)
    {
        float[] y = new float[x.Length];
        for (int column = 0; column < layout.Outer * layout.Inner; column++)
        {
            float sum = 0f;
            for (int step = 0; step < layout.Axis; step++)
            {
                int row = (column / layout.Inner * layout.Axis) + (reverse ? layout.Axis - 1 - step : step);
                int place = (row * layout.Inner) + (column % layout.Inner);
                sum = x[place] + sum;
                y[place] = sum;
            }
        }

        return y;
    }
}
