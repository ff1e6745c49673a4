using CsCheck;
using Minigrad.Backends;
using Minigrad.Backends.Cpu;

namespace Minigrad.Tests.Gpu;

/// <content>Norms.</content>
public sealed partial class SeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(0.5)]
    [InlineData(1.7)]
    public void Norms(double order)
    {
        void Check(float[] values, int units)
        {
            double[] expected = new double[units];
            double[] norms = new double[units];
            CpuBackend.Instance.Norms(GpuFixture.Upload(CpuBackend.Instance, values), order, expected);
            Gpu.Norms(GpuFixture.Upload(Gpu, values), order, norms);
            for (int unit = 0; unit < units; unit++)
            {
                bool isSame = expected[unit].Equals(norms[unit])
                    || Math.Abs(expected[unit] - norms[unit]) <= 1e-12 * Math.Abs(expected[unit]);
                Assert.True(isSame, $"p = {order}: {norms[unit]:R} instead of {expected[unit]:R}");
                ReadOnlySpan<float> elements = values.AsSpan(unit * (values.Length / units), values.Length / units);
                bool isFinite = true;
                foreach (float element in elements)
                {
                    isFinite &= float.IsFinite(element);
                }

                Assert.Equal(isFinite, double.IsFinite(norms[unit]));
            }
        }

        Check([], 1);
        Check([], 3);
        Check([0f, 0f], 1);
        Check([-2f], 1);
        Check(Numbers(63, 1), 9);
        Check(Numbers(300, 2), 2);
        Check(Numbers(2500, 3), 1);
        Check([float.MaxValue, -float.MaxValue, float.MaxValue], 1);
        Check([float.Epsilon, float.Epsilon, 0f], 1);
        Check([float.MaxValue, float.Epsilon, 1f], 1);
        Check([1f, float.NaN, float.PositiveInfinity, 1f, float.NegativeInfinity, 2f, 3f, 4f], 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(3)]
    public void Norms_of_several_buffers_are_the_norm_of_each_alone(double order)
    {
        int[] lengths = [0, 1, 7, 100, 8192, 8193, 30_000, 0, 5];
        foreach (Backend backend in (Backend[])[CpuBackend.Instance, Gpu])
        {
            Storage[] buffers = [.. lengths.Select((length, i) => Numbers(backend, length, (ulong)i + 1))];
            double[] norms = new double[buffers.Length];
            backend.Norms(buffers, order, norms);
            for (int i = 0; i < buffers.Length; i++)
            {
                double[] alone = new double[1];
                backend.Norms(buffers[i], order, alone);
                Assert.Equal(BitConverter.DoubleToInt64Bits(alone[0]), BitConverter.DoubleToInt64Bits(norms[i]));
            }

            backend.Norms([], order, []);
        }
    }
}
