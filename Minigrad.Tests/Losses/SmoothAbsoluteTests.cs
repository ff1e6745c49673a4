using Minigrad.Losses;

namespace Minigrad.Tests.Losses;

/// <summary>The parabola that becomes a line, at its ends and where there is no number.</summary>
public sealed class SmoothAbsoluteTests
{
    [Fact]
    public void An_input_that_is_no_number_has_no_gradient_that_passes_for_one()
    {
        Tensor input = Tensor.Of([float.NaN, 3f, -0.25f]).WithGradient();
        Loss.SmoothAbsolute(input, Tensor.Zeros(3), beta: 0.5f, Reduction.Sum).Backward();
        Assert.Equal([float.NaN, 1f, -0.5f], input.Gradient!.ToArray());
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
}
