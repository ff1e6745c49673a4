using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Backends;

/// <summary>Running sums, held against the formula taken one term after the other, and that against sums in double.</summary>
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
    public void Sums_are_those_of_one_term_after_the_other() => Layouts.SelectMany(
        layout => Number.Array[layout.Length].Select(Gen.Bool, Gen.Int[1, 3], (x, reverse, threads) => (layout, x, reverse, threads))).Sample(
        (layout, x, reverse, threads) =>
        {
            float[] y = new float[x.Length];
            CumulativeSumLoops.Run(new Workers { ThreadCount = threads }, x, layout, reverse, y);
            Assert.Equal(Plain(x, layout, reverse).Select(BitConverter.SingleToInt32Bits), y.Select(BitConverter.SingleToInt32Bits));
        },
        iter: 500,
        threads: 1);

    [Fact]
    public void A_sum_is_off_by_sixteen_roundings_however_long() => Gen.Float[-1e3f, 1e3f].Array[0, 2000].Select(Gen.Bool).Sample(
        (x, isPositive) =>
        {
            RunningSum<Scalar> running = default;
            double exact = 0;
            double magnitudes = 0;
            for (int i = 0; i < x.Length; i++)
            {
                float term = isPositive ? Math.Abs(x[i]) : x[i];
                running.Add(term, i + 1);
                exact += term;
                magnitudes += Math.Abs(term);
                Assert.True(
                    Math.Abs(running.Value.Value - exact) <= 16.01 * Math.ScaleB(magnitudes, -24), $"{running.Value.Value} after {i + 1} terms, whose sum is {exact}");
            }
        },
        iter: 200);

    [Fact]
    public void A_million_tenths_are_a_hundred_thousand_and_two_roundings()
    {
        float[] sums = Tensor.Full([1_000_000], 0.1f).CumulativeSum(0).ToArray();
        Assert.Equal(100_000.016f, sums[^1]);
        Assert.Equal(100_000f, MathF.BitDecrement(MathF.BitDecrement(sums[^1])));
        Assert.Equal(sums.Reverse(), Tensor.Full([1_000_000, 3], 0.1f).CumulativeSum(0, reverse: true)[.., 1].ToArray());
    }

    [Fact]
    public void What_is_infinite_stays_so_and_what_is_not_a_number_too()
    {
        Assert.Equal([1f, float.PositiveInfinity, float.PositiveInfinity, float.NaN, float.NaN], Sums(1f, float.PositiveInfinity, 2f, float.NegativeInfinity, 3f));
        Assert.Equal([3e38f, float.PositiveInfinity, float.PositiveInfinity], Sums(3e38f, 3e38f, -3e38f));
        Assert.Equal([1f, float.NaN, float.NaN], Sums(1f, float.NaN, 2f));
        static float[] Sums(params float[] x) => Tensor.Of(x).CumulativeSum(0).ToArray();
    }

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
            RunningSum<Scalar> sum = default;
            for (int step = 0; step < layout.Axis; step++)
            {
                int row = (column / layout.Inner * layout.Axis) + (reverse ? layout.Axis - 1 - step : step);
                int place = (row * layout.Inner) + (column % layout.Inner);
                sum.Add(x[place], step + 1);
                y[place] = sum.Value.Value;
            }
        }

        return y;
    }
}
