using CsCheck;
using Minigrad.Gpu.Kernels;

namespace Minigrad.Tests.Gpu;

public sealed class DevicePowerTests
{
    [Fact]
    public void Power_agrees_with_the_library() =>
        Gen.Select(Gen.Double[-280.0, 0.0], Gen.Double[-5.0, 3.0]).Sample(
            (exponent, orderExponent) =>
            {
                double x = Math.Pow(2, exponent);
                double order = Math.Pow(10, orderExponent);
                double expected = Math.Pow(x, order);
                double found = DevicePower.Of(x, order);
                double allowed = 4e-16 * (2 + Math.Abs(order * Math.Log(x)));
                return expected < 1e-300 ? found < 1e-299 : Math.Abs(found - expected) <= allowed * expected;
            });

    [Theory]
    [InlineData(1.0, 3.0, 1.0)]
    [InlineData(1.0, 1e300, 1.0)]
    [InlineData(0.5, 1e300, 0.0)]
    [InlineData(0.25, 0.5, 0.5)]
    public void Power_at_its_edges(double x, double order, double expected) =>
        Assert.Equal(expected, DevicePower.Of(x, order), 1e-15);
}
