namespace Minigrad.Tests.Gpu;

/// <summary>Tensors and autodiff on the GPU backend, held against the same on the CPU.</summary>
public sealed class TensorOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    [Fact]
    public void Gradients_agree_with_the_CPU()
    {
        (float[] expectedInput, float[] expectedWeight) = Gradients(tensor => tensor);
        (float[] input, float[] weight) = Gradients(tensor => tensor.To(fixture.Backend));
        Close(expectedInput, input);
        Close(expectedWeight, weight);
    }

    private static (float[] Input, float[] Weight) Gradients(Func<Tensor, Tensor> place)
    {
        Tensor x = place(Tensor.Arange(15).Reshape(5, 3) * 0.1f).WithGradient("x");
        Tensor w = place(Tensor.Arange(12).Reshape(4, 3) * 0.05f).WithGradient("w");
        Tensor bias = place(Tensor.Arange(4));
        Tensor y = x.Linear(w, bias).Tanh().Softmax().Log().Mean();
        Tensor[] first = Tensor.Gradients(y, [x, w], createGraph: true);
        (first[0].Square().Sum() + first[1].Square().Sum() + y).Backward();
        return (x.Gradient!.ToArray(), w.Gradient!.ToArray());
    }

    private static void Close(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }
}
