using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad.Tests.Gpu;

/// <content>Reductions and running sums.</content>
public sealed partial class SeamTests
{
    private static readonly Gen<AxisLayout> Layouts =
        Gen.Select(Gen.Int[0, 3], Gen.OneOfConst(0, 1, 2, 5, 64, 65, 130), Gen.Int[0, 3])
            .Select((outer, axis, inner) => new AxisLayout(outer, axis, inner));

    [Fact]
    public void Reduce() => Layouts.Sample(
        layout =>
        {
            int outputs = layout.Outer * layout.Inner;
            Same(outputs, (backend, y) => backend.Reduce(default(Sum), Numbers(backend, layout.Length, 1), layout, y), 1e-5f);
            Same(outputs, (backend, y) => backend.Reduce(default(Largest), Numbers(backend, layout.Length, 2), layout, y));
            Same(outputs, (backend, y) => backend.Reduce(default(SumOfSquares), Numbers(backend, layout.Length, 3), layout, y), 1e-5f);
        },
        iter: Cases,
        threads: 1);

    [Fact]
    public void Reduce_a_long_axis_in_three_levels()
    {
        AxisLayout layout = new(2, 2500, 1);
        Same(2, (backend, y) => backend.Reduce(default(SumOfAbsolutes), Numbers(backend, 5000, 1), layout, y), 1e-5f);
        float[] values = Numbers(5000, 2);
        values[2499] = float.NaN;
        Same(2, (backend, y) => backend.Reduce(default(Largest), GpuFixture.Upload(backend, values), layout, y));
    }

    [Fact]
    public void ArgMax() => Layouts.Where(layout => layout.Axis > 0).Sample(
        layout =>
        {
            foreach (float sign in (float[])[1f, -1f])
            {
                // Coarse numbers have ties, of which the first counts.
                float[] values = Array.ConvertAll(Numbers(layout.Length, 4), MathF.Round);
                if (values.Length > 2)
                {
                    values[^2] = float.NaN;
                    values[1] = float.NegativeInfinity;
                }

                int[] expected = new int[layout.Outer * layout.Inner];
                int[] found = new int[expected.Length];
                CpuBackend.Instance.ArgMax(GpuFixture.Upload(CpuBackend.Instance, values), layout, sign, expected);
                Gpu.ArgMax(GpuFixture.Upload(Gpu, values), layout, sign, found);
                Assert.Equal(expected, found);
            }
        },
        iter: Cases,
        threads: 1);

    [Fact]
    public void CumulativeSum() => Layouts.Sample(
        layout =>
        {
            foreach (bool reverse in (bool[])[false, true])
            {
                Same(
                    layout.Length,
                    (backend, y) => backend.CumulativeSum(Numbers(backend, layout.Length, 1), layout, reverse, y));
            }
        },
        iter: Cases,
        threads: 1);
}
