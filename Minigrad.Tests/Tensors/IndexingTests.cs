namespace Minigrad.Tests.Tensors;

/// <summary>Parts of tensors with C#'s indices and ranges, and changing them in place.</summary>
public sealed class IndexingTests
{
    private static Tensor Matrix => Tensor.Arange(12).Reshape(3, 4);

    [Fact]
    public void Indices_remove_axes_and_ranges_keep_them()
    {
        Assert.Equal(6f, Matrix[1, 2].Item());
        Assert.Equal(11f, Matrix[^1, ^1].Item());
        Assert.Equal(8f, Matrix[-1, 0].Item());
        Assert.Equal([4f, 5f, 6f, 7f], Matrix[1].ToArray());
        Assert.Equal([4], Matrix[1].Shape);
        Assert.Equal([3f, 7f, 11f], Matrix[.., ^1].ToArray());
        Assert.Equal([2, 2], Matrix[1.., 1..3].Shape);
        Assert.Equal([5f, 6f, 9f, 10f], Matrix[1.., 1..3].ToArray());
        Assert.Equal([0, 4], Matrix[1..1].Shape);
    }

    [Fact]
    public void Gradients_flow_through_a_part()
    {
        Tensor x = Matrix.WithGradient();
        (x[1.., ^1] * Tensor.Of([2f, 3f])).Sum().Backward();
        Assert.Equal([0f, 0f, 0f, 0f, 0f, 0f, 0f, 2f, 0f, 0f, 0f, 3f], x.Gradient!.ToArray());
    }

    [Fact]
    public void Parts_are_assigned_in_place_with_broadcasting()
    {
        Tensor x = Matrix;
        x[0] = 5f;
        x[1.., 0] = Tensor.Of([-1f, -2f]);
        x[^1, ^1] = 9f;
        Assert.Equal([5f, 5f, 5f, 5f, -1f, 5f, 6f, 7f, -2f, 9f, 10f, 9f], x.ToArray());
        Assert.Throws<ShapeException>(() => x[0] = Tensor.Ones(3));
        Tensor parameter = Tensor.Ones(2).WithGradient();
        Assert.Throws<GradientException>(() => parameter[0] = 1f);
    }

    [Fact]
    public void Reshape_and_detach_share_numbers_and_clone_does_not()
    {
        Tensor x = Matrix;
        Tensor flat = x.Reshape(-1);
        Tensor copy = x.Clone();
        x.Fill(1f);
        Assert.Equal(1f, flat[5].Item());
        Assert.Equal(5f, copy[1, 1].Item());
        Assert.Equal(1f, x.Detach()[0, 0].Item());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_picked_out_or_moved_has_numbers_of_its_own_whatever_the_shape(int length)
    {
        Tensor x = Tensor.Zeros(length, 3);
        Func<Tensor>[] reads =
        [
            () => x[0], () => x[..], () => x[.., ..], () => x[..1], () => x[0, ..], () => x.Select(0, 0), () => x.Slice(0), () => x.Slice(0, 0, length),
            () => x.Permute(0, 1), () => x.Transpose(0, 0), () => x.Expand(length, 3), () => x.Expand(-1, 3), () => x.Flip(0), () => x.IndexSelect(0, 0),
        ];
        foreach (Func<Tensor> read in reads)
        {
            read().Fill(5f);
            Assert.All(x.ToArray(), number => Assert.Equal(0f, number));
        }

        foreach (Tensor shared in (Tensor[])[x.Reshape(-1), x.Flatten(), x.Unsqueeze(0), x.Squeeze(), x.Detach()])
        {
            shared.Fill(shared[^1].ToArray()[^1] + 1f);
            Assert.All(x.ToArray(), number => Assert.Equal(shared.ToArray()[0], number));
        }
    }

    [Theory]
    [InlineData(Precision.Half)]
    [InlineData(Precision.BFloat16)]
    public void All_of_a_tensor_is_assigned_in_half_precision_too(Precision precision)
    {
        Tensor x = Tensor.Zeros(60, 50);
        Tensor values = Tensor.Arange(1f, 3001f).Reshape(60, 50);
        using (new EmulatedPrecision(precision))
        {
            x[..] = values;
            Assert.Equal(values.ToArray(), x.ToArray());
            x[.., ..] = 2f;
        }

        Assert.All(x.ToArray(), number => Assert.Equal(2f, number));
    }

    [Fact]
    public void A_step_may_be_longer_than_the_axis()
    {
        Assert.Equal([0f], Tensor.Arange(4).Slice(0, 0, null, int.MaxValue).ToArray());
        Assert.Equal([1f], Tensor.Arange(4).Slice(0, 1, null, int.MaxValue).ToArray());
        Assert.Equal([1f, 3f], Tensor.Arange(4).Slice(0, 1, null, 2).ToArray());
    }

    [Fact]
    public void The_place_of_the_largest_or_the_smallest_is_the_first_that_has_it()
    {
        Tensor x = Tensor.Of(new float[,] { { 3, -1, 3, -1 }, { 2, 5, float.NaN, 0 } });
        Assert.Equal([0, 2], x.ArgMax().Values);
        Assert.Equal([1, 2], x.ArgMin().Values);
        Assert.Equal([0, 1, 1, 1], x.ArgMax(0).Values);
        Assert.Equal([1, 0, 1, 0], x.ArgMin(0).Values);
        Assert.Equal([4], x.ArgMin(0).Shape);
    }

    [Fact]
    public void Shapes_are_lists_of_their_dimensions()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal([7, 2, 3, 4], Tensor.Ones(2, 3, 4).Unsqueeze(0).Expand([7, .. shape]).Shape);
        Assert.Equal((3, 24, 4, "[2, 3, 4]"), (shape.Rank, shape.Size, shape[-1], shape.ToString()));
        Assert.Equal(shape, Shape.Create(2, 3, 4));
        Assert.Equal(shape.GetHashCode(), Shape.Create(2, 3, 4).GetHashCode());
        Assert.Equal([1, 2], Tensor.Ones(1, 2, 1).Squeeze(-1).Shape);
        Assert.Equal([2], Tensor.Ones(1, 2, 1).Squeeze().Shape);
        Assert.Equal([2, 12], Tensor.Ones(2, 3, 4).Flatten(1).Shape);
    }
}
