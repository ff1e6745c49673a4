using CsCheck;
using Minigrad.Autodiff;
using Minigrad.Losses;

namespace Minigrad.Tests.Operations;

/// <summary>
/// Every operation with structure of its own: gradients against differences over random shapes, and second order by
/// checking the gradient of the gradient's projection.
/// </summary>
public sealed class StructuredOperationTests
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Operations = new()
    {
        ["sum"] = x => x.Sum([-1]),
        ["sum-first"] = x => x.Sum([0], keepDimensions: true),
        ["mean"] = x => x.Mean(),
        ["variance"] = x => x.Variance([], unbiased: false),
        ["norm-2"] = x => x.Norm([-1]),
        ["norm-3"] = x => (x + 3f).Norm([0], 3f),
        ["norm-1"] = x => (x + 5f).Norm([0], 1f),
        ["max"] = x => Spread(x).Max(-1),
        ["min"] = x => Spread(x).Min(0),
        ["logsumexp"] = x => x.LogSumExp([-1]),
        ["softmax"] = x => x.Softmax(),
        ["softmax-first"] = x => x.Softmax(0),
        ["log-softmax"] = x => x.LogSoftmax(),
        ["cross-entropy"] = x => Loss.CrossEntropy(x.Reshape(-1, x.Shape[-1]), new int[x.Length / x.Shape[-1]], labelSmoothing: 0.3f),
        ["cross-entropy-rows"] = x => Loss.CrossEntropy(x.Reshape(-1, x.Shape[-1]), new int[x.Length / x.Shape[-1]], reduction: Reduction.None),
        ["cross-entropy-weights"] = x => Loss.CrossEntropy(
            x.Reshape(-1), new Indices([x.Length - 1], Shape.Scalar), Tensor.Full([x.Length], 0.7f), labelSmoothing: 0.2f, reduction: Reduction.Sum),
        ["cumulative-sum"] = x => x.CumulativeSum(0),
        ["cumulative-sum-reverse"] = x => x.CumulativeSum(-1, reverse: true),
        ["reshape"] = x => x.Reshape(-1).Square(),
        ["transpose"] = x => x.Transpose(0, -1) * 2f,
        ["flip"] = x => x.Flip(0) * x,
        ["slice"] = x => x.Slice(0, 0, null, 2).Square(),
        ["select"] = x => x.Select(-1, 0),
        ["index"] = x => x[^1],
        ["index-select"] = x => x.IndexSelect(0, 0, -1, 0),
        ["concatenate"] = x => Tensor.Concatenate([x, x.Square()], -1),
        ["stack"] = x => Tensor.Stack([x, x.Exp(), x], 1),
        ["expand"] = x => x.Unsqueeze(0).Expand([3, .. x.Shape]) * 1.5f,
        ["where"] = x => Tensor.Where(Mask(x), x.Square(), 3f * x),
        ["broadcast-row"] = x => x * x.Sum([0]),
        ["broadcast-column"] = x => x / (x.Square().Sum([-1], keepDimensions: true) + 1f),
        ["matmul"] = x => x.Reshape(-1, x.Shape[-1]).MatMul(x.Reshape(-1, x.Shape[-1]), transposeRight: true),
        ["matmul-left"] = x => x.Reshape(-1, x.Shape[-1]).MatMul(x.Reshape(-1, x.Shape[-1]), transposeLeft: true),
        ["matmul-batch"] = x => Batched(x).MatMul(Batched(x).Transpose()),
        ["matmul-both"] = x => Batched(x).MatMul(Batched(x).Transpose().Tanh().Transpose(), true, false).Sum([0]),
        ["matmul-vector"] = x => x.MatMul(x.Reshape(-1)[..x.Shape[-1]]),
        ["linear-rows"] = x => x.Reshape(-1, x.Shape[^1]).Linear(Weight(x), x.Reshape(-1)[..1].Expand(3)),
        ["linear"] = x => x.Linear(Weight(x), x.Reshape(-1)[..1].Expand(3)),
        ["layer-norm"] = x => x.LayerNorm(epsilon: 1f),
        ["layer-norm-weighted"] = x => x.LayerNorm(Scale(x, -1), epsilon: 1f),
        ["root-mean-square-norm"] = x => x.RmsNorm(Scale(x, -1), 1f),
        ["batch-norm-weighted"] = x => Batched(x).BatchNorm(Scale(Batched(x), 1), epsilon: 1f),
        ["batch-norm"] = x => Batched(x).BatchNorm(epsilon: 1f),
        ["tril"] = x => Batched(x).Tril(1).Square(),
        ["gather"] = x => x.Gather(0, new Indices(new int[2 * x.Length / x.Shape[0]], Shape.Create([2, .. x.Shape.Dimensions[1..]]))),
        ["embedding"] = x => x.Reshape(-1, 1).Embedding(new Indices([0, 0], Shape.Create(1, 2))),
    };

    public static TheoryData<string> Names => [.. Operations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradient_agrees_with_differences(string name) =>
        Inputs.Where(x => !IsConstant(name, x)).Sample(
            x => GradientChecker.Check(inputs => Operations[name](inputs[0]), x).ThrowIfFailed(), iter: 12);

    /// <summary>
    /// A group of one number is standardized to 0, whatever it is: the gradient is g·w minus its mean, which is itself. A device that
    /// fuses the product with the difference keeps what rounding took from the mean, up to half a unit of it.
    /// </summary>
    [Fact]
    public void A_condition_that_is_not_a_number_is_not_zero()
    {
        Tensor a = Tensor.Of([1f, 1f, 1f, 1f]).WithGradient();
        Tensor chosen = Tensor.Where(Tensor.Of([float.NaN, 0f, -0f, float.NegativeInfinity]), a, 2f);
        Assert.Equal([1f, 2f, 2f, 1f], chosen.ToArray());
        Assert.Equal([1f, 0f, 0f, 1f], Tensor.Gradients(chosen.Sum(), [a])[0].ToArray());
    }

    [Fact]
    public void A_group_of_one_number_has_no_gradient_but_for_rounding()
    {
        foreach (float value in (float[])[-0.28f, 1.7f, 3e4f])
        {
            foreach (Func<Tensor, Tensor> operation in (Func<Tensor, Tensor>[])[
                x => x.LayerNorm(Scale(x, -1), epsilon: 1f), x => x.BatchNorm(Scale(x, 1), epsilon: 1f)])
            {
                Tensor x = Tensor.Of([value], 1, 1).WithGradient();
                (operation(x) * 0.7f).Sum().Backward();
                Assert.InRange(Math.Abs(x.Gradient!.Item()), 0f, MathF.ScaleB(0.7f * MathF.Abs(Scale(x, 1).Item()), -24));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Second_order_agrees_with_differences_of_the_gradient(string name) =>
        Inputs.Sample(
            x => GradientChecker.Check(inputs => PenaltyOf(Operations[name], inputs[0]), x).ThrowIfFailed(), iter: 6);

    [Theory]
    [MemberData(nameof(Names))]
    public void Fused_and_recorded_backward_give_the_same_gradient(string name) =>
        Inputs.Sample(
            x =>
            {
                Tensor variable = x.WithGradient();
                Tensor y = Operations[name](variable).Square().Sum();
                float[] plain = Tensor.Gradients(y, [variable], retainGraph: true)[0].ToArray();
                float[] recorded = Tensor.Gradients(y, [variable], createGraph: true)[0].ToArray();
                Assert.All(plain.Zip(recorded), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * (1f + MathF.Abs(pair.First))));
            },
            iter: 6);

    private static readonly Gen<Tensor> Inputs =
        from shape in Gen.OneOf(
            Gen.Int[1, 5].Array[2],
            Gen.Int[1, 4].Array[3],
            Gen.OneOfConst<int[]>([1, 1], [1, 7], [9, 1], [2, 17], [1, 2, 1]))
        from seed in Gen.ULong
        select Tensor.Normal(shape, generator: new Generator(seed));

    /// <summary>Elements far enough apart that a difference changes no order; a constant, so it has no gradient of its own.</summary>
    private static Tensor Spread(Tensor x) => (0.02f * x) + (0.5f * Tensor.Of(
        [.. new Generator(7).Permutation(x.Length).Select(place => 0.2f * place)], x.Shape));

    private static Tensor Mask(Tensor x) =>
        Tensor.Of([.. new Generator(8).Permutation(x.Length).Select(place => place % 2f)], x.Shape);

    private static Tensor Batched(Tensor x) => x.Rank == 2 ? x.Unsqueeze(0) : x;

    private static Tensor Weight(Tensor x) => Tensor.Normal([3, x.Shape[-1]], generator: new Generator(9));

    private static bool IsConstant(string name, Tensor x) => name switch
    {
        "layer-norm-weighted" => x.Shape[^1] == 1,
        "batch-norm-weighted" => Batched(x).Shape[0] * Batched(x).Shape[^1] == 1,
        _ => false,
    };

    private static Tensor Scale(Tensor x, int axis) => Tensor.Normal([x.Shape[axis]], generator: new Generator(9));

    private static Tensor PenaltyOf(Func<Tensor, Tensor> operation, Tensor x)
    {
        Tensor variable = x.RequiresGradient ? x : x.Detach().WithGradient();
        Tensor y = operation(variable).Square().Sum() + variable.Square().Sum();
        return Tensor.Gradients(y, [variable], createGraph: true)[0].Square().Sum();
    }
}
