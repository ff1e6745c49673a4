namespace Minigrad.Tests.Tensors;

/// <summary>Tensors print like those of a numerical library.</summary>
public sealed class TextTests
{
    [Fact]
    public void Numbers_stand_in_columns() => Assert.Equal(
        """
        Tensor([[ 1.5000, -2.0000],
                [ 0.2500, 10.0000]])
        """.ReplaceLineEndings("\n"),
        Tensor.Of(new[,] { { 1.5f, -2f }, { 0.25f, 10f } }).ToString());

    [Fact]
    public void Whole_numbers_scalars_and_special_values()
    {
        Assert.Equal("Tensor([1., 2., 3.])", Tensor.Of([1f, 2f, 3f]).ToString());
        Assert.Equal("Tensor(3.)", ((Tensor)3f).ToString());
        Assert.Equal("Tensor([ nan,  inf, -inf])", Tensor.Of([float.NaN, float.PositiveInfinity, float.NegativeInfinity]).ToString());
        Assert.Equal("Tensor([], shape [0])", Tensor.Zeros(0).ToString());
        Assert.Equal("Tensor([1.0000e-06, 1.0000e+00])", Tensor.Of([1e-6f, 1f]).ToString());
    }

    [Fact]
    public void Large_tensors_show_their_corners()
    {
        string text = Tensor.Arange(10_000).Reshape(100, 100).ToString();
        Assert.True(text.Split('\n').Length == 7, text);
        Assert.Contains("...", text, StringComparison.Ordinal);
        Assert.Contains("9999.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("1234", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Matrices_of_a_stack_are_apart_and_gradients_are_told() => Assert.Equal(
        "Tensor([[[1., 1.]],\n\n        [[1., 1.]]], shape [2, 1, 2], 'w', with gradient)",
        Tensor.Ones(2, 1, 2).WithGradient("w").ToString());
}
