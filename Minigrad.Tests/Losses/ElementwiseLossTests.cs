using Minigrad.Losses;
using Minigrad.Operations;

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
    public void An_input_that_is_no_number_has_no_gradient_that_passes_for_one()
    {
        Tensor zeros = Tensor.Zeros(3);
        Tensor input = Tensor.Of([float.NaN, 3f, -0.25f]).WithGradient();
        Assert.Equal([float.NaN, 1f, -0.5f], Slopes(Loss.SmoothAbsolute(input, zeros, beta: 0.5f, Reduction.Sum)));
        Assert.Equal([float.NaN, 0.5f, -0.25f], Slopes(Loss.Huber(input, zeros, delta: 0.5f, Reduction.Sum)));

        float[] Slopes(Tensor loss) => Tensor.Gradients(loss, [input])[0].ToArray();
    }

    [Fact]
    public void The_parabola_and_the_line_meet()
    {
        Tensor input = Tensor.Of([-2f, 2f, 4f, 1f]).WithGradient();
        Tensor loss = Loss.SmoothAbsolute(input, Tensor.Zeros(4), beta: 2f, Reduction.None);
        loss.Sum().Backward();
        Assert.Equal([1f, 1f, 3f, 0.25f], loss.ToArray());
        Assert.Equal([-1f, 1f, 1f, 0.5f], input.Gradient!.ToArray());
    }

    [Fact]
    public void A_parabola_of_no_width_leaves_the_line() =>
        Assert.Equal([0f, 2f, 0.5f], Tensor.Map(Tensor.Of([1f, 3f, 0.5f]), Tensor.Of([1f, 1f, 1f]), new SmoothAbsoluteError(0f)).ToArray());
}
