using Minigrad.Layers;
using Minigrad.Losses;
using static Minigrad.Tests.Autodiff.TracedRun;

namespace Minigrad.Tests.Autodiff;

/// <summary>What was NaN or infinite before any operation read it is blamed itself: a parameter, an input, a gradient.</summary>
public sealed class AnomalyHeldBeforeTests
{
    private const float Infinity = float.PositiveInfinity;

    [Fact]
    public void An_embedding_of_NaN_blames_the_table()
    {
        Embedding embedding = new(4, 2);
        Poison(embedding.Weight, [3, 1]);
        AnomalySource first = Caught(() => embedding.Forward(new[] { 0, 3 }).Sum().Backward()).First;
        Assert.Equal(Here() - 1, first.Line);
        Assert.Equal(("Embedding", "'weight' of shape [4, 2]", "Embedding(4 → 2)"), (first.Operation, first.HeldBy, first.Layer));
        Assert.Equal([3, 1], first.Index);
        Assert.StartsWith(
            "'weight' of shape [4, 2] held NaN already at [3, 1] (1 of 8 elements); Embedding was the first to read it, in layer Embedding(4 → 2), at AnomalyHeldBeforeTests.cs:",
            first.ToString(), StringComparison.Ordinal);

        // A row that is not looked up is not read.
        using (Anomaly.Trace())
        {
            Assert.Null(Anomaly.Find(embedding.Forward(new[] { 0, 2 })));
        }
    }

    [Fact]
    public void A_parameter_that_was_NaN_already_is_blamed_and_not_the_layer_that_reads_it()
    {
        Sequential model = new(new Linear(3, 4), new Tanh(), new Linear(4, 2));
        _ = model.Parameters;
        Poison(((Linear)model[2]).Weight, [1, 0]);
        AnomalyReport report = Caught(() => Loss.MeanSquare(model.Forward(Tensor.Ones(5, 3)), Tensor.Zeros(5, 2)).Backward());
        AnomalySource first = Assert.Single(report.Sources);
        Assert.Equal(("Linear", "'2.weight' of shape [2, 4]", "'2', Linear(4 → 2)"), (first.Operation, first.HeldBy, first.Layer));
        Assert.Equal(["SquaredError", "Sum", "Divide"], report.PassedOnBy);
    }

    [Fact]
    public void An_input_that_was_NaN_already_is_blamed()
    {
        Tensor x = Tensor.Of([1f, float.NaN]);
        Tensor weight = Tensor.Ones(2).WithGradient("weight");
        Assert.Equal("a tensor of shape [2]", Caught(() => (x.Square() * weight).Sum().Backward()).First.HeldBy);
        x.Name = "pixels";
        Assert.Equal("'pixels' of shape [2]", Caught(() => (x.Square() * weight).Sum().Backward()).First.HeldBy);

        // An infinity in the data, of which NaN is made: the data first.
        x.Assign([Infinity, 1f]);
        AnomalyReport report = Caught(() => ((x - x) * weight).Sum().Backward());
        Assert.Equal("'pixels' of shape [2]", report.First.HeldBy);
        Assert.Equal([Infinity, float.NaN], report.Sources.Select(source => source.Value));
    }

    [Fact]
    public void A_largest_value_of_NaN_comes_from_its_input()
    {
        Tensor x = Tensor.Of([1f, -1f]).WithGradient();
        Assert.Equal("Logarithm", Caught(() => x.Log().LogSumExp([]).Backward()).First.Operation);
        x = Tensor.Of([1f, float.NaN]).WithGradient("x");
        Assert.Equal("'x' of shape [2]", Caught(() => x.LogSumExp([]).Backward()).First.HeldBy);
        Assert.Equal("'x' of shape [2]", Caught(() => x.Max().Backward()).First.HeldBy);
    }

    [Fact]
    public void A_gradient_that_was_not_zeroed_is_blamed()
    {
        Tensor x = Tensor.Ones(2).WithGradient("x");
        x.Gradient = Tensor.Of([0f, float.NaN]);
        AnomalyReport report = Caught(() => x.Sum().Backward());
        Assert.Equal("the gradient that 'x' had before this backward", Assert.Single(report.Sources).HeldBy);
    }

    [Fact]
    public void A_gradient_to_start_from_is_blamed()
    {
        Tensor x = Tensor.Ones(2).WithGradient("x");
        AnomalyReport report = Caught(() => x.Square().Backward(Tensor.Of([1f, float.NaN])));
        Assert.Equal("the gradient that backward was given to start from", Assert.Single(report.Sources).HeldBy);
        Assert.Equal("Square", report.First.Operation);
    }

    private static void Poison(Tensor tensor, int[] place)
    {
        float[] values = tensor.ToArray();
        values[tensor.Shape.ElementAt(place)] = float.NaN;
        using NoGrad scope = new();
        tensor.Assign(values);
    }
}
