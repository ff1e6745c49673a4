using Minigrad.Losses;

namespace Minigrad.Tests.Losses;

/// <summary>The divergence where probabilities are 0, tiny, or no numbers.</summary>
public sealed class KullbackLeiblerTests
{
    [Fact]
    public void A_target_that_is_no_number_does_not_pass_for_none()
    {
        Tensor input = Tensor.Of([-1f, -1f]).WithGradient();
        Tensor loss = Loss.KullbackLeibler(input, Tensor.Of([float.NaN, 0.5f]), Reduction.None);
        loss.Sum().Backward();
        Assert.True(float.IsNaN(loss[0].Item()));
        Assert.True(float.IsNaN(input.Gradient![0].Item()));
        Assert.Equal(-0.5f, input.Gradient[1].Item());
        Assert.True(float.IsNaN(Loss.KullbackLeibler(Tensor.Of([-1f]), Tensor.Of([-0.5f])).Item()));
        Assert.True(float.IsNaN(Loss.KullbackLeibler(Tensor.Of([float.NaN]), Tensor.Of([0f])).Item()));
    }

    [Fact]
    public void Where_the_target_is_nothing_the_divergence_is_too_whatever_the_input()
    {
        Tensor input = Tensor.Of([float.NegativeInfinity, -1f, -1f]).WithGradient();
        Tensor target = Tensor.Of([0f, 0f, 1.1e-40f]).WithGradient();
        Tensor loss = Loss.KullbackLeibler(input, target, Reduction.None);
        loss.Sum().Backward();
        Assert.Equal([0f, 0f, 0f], loss.ToArray());
        Assert.Equal([0f, 0f, 0f], input.Gradient!.ToArray());
        Assert.Equal([0f, 0f, 0f], target.Gradient!.ToArray());
    }

    [Fact]
    public void A_target_that_is_learnt_keeps_finite_gradients_where_it_is_tiny()
    {
        Tensor logits = Tensor.Of([0f, -92f]).WithGradient();
        Loss.KullbackLeibler(Tensor.Of([-0.7f, -0.7f]), logits.Softmax(), Reduction.Sum).Backward();
        Assert.All(logits.Gradient!.ToArray(), slope => Assert.Equal(0f, slope, 1e-37f));
    }
}
