using Minigrad.Operations;

namespace Minigrad.Tests.Autodiff;

/// <summary>Which operands may be changed in place between forward and backward: those that no gradient asked for needs.</summary>
public sealed class SavedTensorTests
{
    public static TheoryData<string> Products => ["Linear", "Tanh(Linear)", "MatMul", "Multiply"];

    [Theory]
    [MemberData(nameof(Products))]
    public void A_weight_may_change_where_only_its_own_gradient_is_asked_for(string product)
    {
        Tensor x = Tensor.Of(new float[,] { { 2f, 3f } });
        Tensor weight = Tensor.Of(new float[,] { { 0f, 0f } }).WithGradient("weight");
        Tensor y = Forward(product, x, weight);
        Change(weight);
        y.Sum().Backward();
        Assert.Equal([2f, 3f], weight.Gradient!.ToArray());
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void An_input_may_change_where_only_its_own_gradient_is_asked_for(string product)
    {
        Tensor x = Tensor.Of(new float[,] { { 0f, 0f } }).WithGradient("x");
        Tensor weight = Tensor.Of(new float[,] { { 5f, 7f } });
        Tensor y = Forward(product, x, weight);
        Change(x);
        y.Sum().Backward();
        Assert.Equal([5f, 7f], x.Gradient!.ToArray());
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void What_the_other_gradient_needs_may_not_change(string product)
    {
        foreach (string changed in (string[])["x", "weight"])
        {
            Tensor x = Tensor.Of(new float[,] { { 2f, 3f } }).WithGradient("x");
            Tensor weight = Tensor.Of(new float[,] { { 5f, 7f } }).WithGradient("weight");
            Tensor y = Forward(product, x, weight);
            Change(changed == "x" ? x : weight);
            string message = Assert.Throws<GradientException>(() => y.Sum().Backward()).Message;
            Assert.Contains($"'{changed}', a tensor of shape [1, 2] as it was in the forward pass, but it was changed in place since", message, StringComparison.Ordinal);
        }
    }

    private static Tensor Forward(string product, Tensor x, Tensor weight) => product switch
    {
        "Linear" => x.Linear(weight, Tensor.Zeros(1)),
        "Tanh(Linear)" => x.Linear(weight, Tensor.Zeros(1), default(HyperbolicTangent)),
        "MatMul" => x.MatMul(weight, transposeRight: true),
        _ => x * weight,
    };

    private static void Change(Tensor tensor)
    {
        using NoGrad scope = new();
        tensor.Fill(1f);
    }
}
