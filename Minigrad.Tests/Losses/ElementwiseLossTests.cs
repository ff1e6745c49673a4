using Minigrad.Losses;

namespace Minigrad.Tests.Losses;

public sealed class ElementwiseLossTests
{
    private const float Steepest = 1e12f;

    [Theory]
    [InlineData(0f, 1f, 100f, -Steepest)]
    [InlineData(1f, 0f, 100f, Steepest)]
    [InlineData(0f, 0.5f, 50f, -0.5f * Steepest)]
    [InlineData(1f, 0.25f, 75f, 0.75f * Steepest)]
    [InlineData(float.Epsilon, 1f, 100f, -Steepest)]
    [InlineData(0f, 0f, 0f, 1f)]
    [InlineData(1f, 1f, 0f, -1f)]
    [InlineData(0.25f, 1f, 1.3862944f, -4f)]
    public void A_certainty_that_is_wrong_has_a_slope(float probability, float target, float loss, float slope)
    {
        Tensor p = Tensor.Of([probability]).WithGradient();
        Tensor y = Loss.BinaryCrossEntropy(p, Tensor.Of([target]));
        y.Backward();
        Assert.Equal(loss, y.Item());
        Assert.Equal(slope, p.Gradient!.Item());
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void What_is_no_probability_has_neither_entropy_nor_slope(float probability)
    {
        Tensor p = Tensor.Of([probability]).WithGradient();
        Tensor y = Loss.BinaryCrossEntropy(p, Tensor.Of([0.5f]));
        y.Backward();
        Assert.Equal(float.NaN, y.Item());
        Assert.Equal(float.NaN, p.Gradient!.Item());
    }

    [Fact]
    public void NaN_does_not_look_like_a_slope_of_zero()
    {
        Tensor zeros = Tensor.Zeros(3);
        foreach (Func<Tensor, Tensor> loss in (Func<Tensor, Tensor>[])[x => Loss.Huber(x, zeros, 0.5f), x => Loss.SmoothAbsolute(x, zeros, 0.5f)])
        {
            Tensor x = Tensor.Of([float.NaN, 0.25f, -2f]).WithGradient();
            loss(x).Backward();
            float[] slopes = x.Gradient!.ToArray();
            Assert.Equal(float.NaN, slopes[0]);
            Assert.True(slopes[1] > 0 && slopes[2] < 0, $"Slopes of 0.25 and -2 are {slopes[1]} and {slopes[2]}.");
        }
    }
}
