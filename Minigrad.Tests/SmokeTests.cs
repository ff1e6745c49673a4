namespace Minigrad.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void Diamond()
    {
        Tensor x = Tensor.Of([1f, 2f, 3f]).WithGradient("x");
        Tensor y = x.Tanh();
        Tensor z = (y * y + (2f * y)).Sum();
        z.Backward();
        float[] gradient = x.Gradient!.ToArray();
        for (int i = 0; i < 3; i++)
        {
            double t = Math.Tanh(i + 1);
            Assert.Equal((float)(((2 * t) + 2) * (1 - (t * t))), gradient[i], 1e-5f);
        }
    }

    [Fact]
    public void Products()
    {
        Tensor x = Tensor.Arange(6).Reshape(2, 3).WithGradient("x");
        Tensor w = Tensor.Arange(12).Reshape(4, 3).WithGradient("w");
        Tensor y = x.Linear(w, Tensor.Ones(4)).Softmax().Log().Mean();
        Tensor[] g = Tensor.Gradients(y, [x, w], createGraph: true);
        (g[0].Square().Sum() + g[1].Square().Sum()).Backward();
        Assert.Equal([2, 3], x.Gradient!.Shape);
    }
}
