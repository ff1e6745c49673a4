using Minigrad.Autodiff;
using Minigrad.Layers;

namespace Minigrad.Tests.Layers;

/// <summary>Normalising layers, embeddings and the bilinear layer.</summary>
public sealed class NormalizationTests
{
    [Fact]
    public void BatchNorm_normalises_by_the_batch_in_training_and_by_running_statistics_in_use()
    {
        BatchNorm1d layer = new(2, epsilon: 0f, momentum: 0.25f);
        Tensor x = Tensor.Of(new float[,] { { 1, 10 }, { 3, 20 } });
        Assert.Equal([-1f, -1f, 1f, 1f], layer.Forward(x).ToArray());
        Assert.Equal([0.25f * 2, 0.25f * 15], layer.RunningMean.ToArray());
        Assert.Equal([0.75f + (0.25f * 2), 0.75f + (0.25f * 50)], layer.RunningVariance.ToArray());
        layer.Evaluate();
        float[] before = layer.RunningMean.ToArray();
        float[] expected = [.. new[] { 1f, 10f, 3f, 20f }.Select((value, i) =>
            (value - before[i % 2]) / MathF.Sqrt(layer.RunningVariance.ToArray()[i % 2]))];
        Assert.All(expected.Zip(layer.Forward(x).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(before, layer.RunningMean.ToArray());
        Assert.Equal(["running_mean", "running_var"], layer.NamedBuffers().Select(entry => entry.Name));
    }

    [Fact]
    public void BatchNorm_of_sequences_normalises_over_batch_and_time()
    {
        BatchNorm1d layer = new(3);
        Tensor y = layer.Forward(Tensor.Normal([4, 3, 5], 2f, 3f, new Generator(1)));
        Assert.All(y.Mean([0, 2]).ToArray(), value => Assert.Equal(0f, value, 1e-5f));
        Assert.All(y.Variance([0, 2], unbiased: false).ToArray(), value => Assert.Equal(1f, value, 1e-4f));
    }

    [Fact]
    public void BatchNorm_refuses_a_batch_without_variance_and_keeps_its_statistics()
    {
        Sequential model = new(new BatchNorm1d(2));
        float[] before = ((BatchNorm1d)model[0]).RunningMean.ToArray();
        string message = Assert.ThrowsAny<ShapeException>(() => model.Forward(Tensor.Ones(1, 2))).Message;
        Assert.Contains("In layer '0', BatchNorm1d(2)", message, StringComparison.Ordinal);
        Assert.Contains("drop a last batch of one row", message, StringComparison.Ordinal);
        Assert.Equal(before, ((BatchNorm1d)model[0]).RunningMean.ToArray());
        model.Evaluate();
        Assert.Equal([1, 2], model.Forward(Tensor.Ones(1, 2)).Shape.Dimensions.ToArray());
        Assert.Contains("dimension 1 holds the channels", Assert.ThrowsAny<ShapeException>(() => model.Forward(Tensor.Ones(4, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("part of a new batch", Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNorm1d(2, momentum: 1.5f)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Normalising_layers_pass_the_gradient_check()
    {
        Tensor x = Tensor.Normal([6, 4], generator: new Generator(1));
        Layer[] layers = [new BatchNorm1d(4, 0.1f), new LayerNorm(4, 0.1f), new RmsNorm(4, 0.1f), new BatchNorm1d(4, isAffine: false)];
        foreach (Layer layer in layers)
        {
            Randomize(layer);
            GradientChecker.Check(inputs => layer.Forward(inputs[0]), x).ThrowIfFailed();
            Tensor y = layer.Forward(x).Square().Sum();
            if (layer.Parameters.Count > 0)
            {
                y.Backward();
                Assert.All(layer.Parameters, parameter => Assert.NotNull(parameter.Gradient));
            }

            layer.Evaluate();
            GradientChecker.Check(inputs => layer.Forward(inputs[0]), x).ThrowIfFailed();
        }

        GradientChecker.Check(inputs => x.LayerNorm(inputs[0], inputs[1]), Tensor.Ones(4), Tensor.Ones(4)).ThrowIfFailed();
        GradientChecker.Check(inputs => x.BatchNorm(inputs[0], inputs[1]), Tensor.Ones(4), Tensor.Ones(4)).ThrowIfFailed();
        GradientChecker.Check(inputs => x.RmsNorm(inputs[0]), Tensor.Ones(4)).ThrowIfFailed();
    }

    [Theory]
    [InlineData("layer")]
    [InlineData("layer without weights")]
    [InlineData("root mean square")]
    [InlineData("batch")]
    [InlineData("batch of sequences")]
    public void Gradients_under_createGraph_are_the_fused_ones_and_can_be_differentiated(string kind)
    {
        Generator generator = new(4);
        bool isSequence = kind == "batch of sequences";
        Tensor x = Tensor.Normal(isSequence ? [5, 3, 4] : [5, 4], generator: generator).WithGradient();
        Tensor weight = Tensor.Normal([isSequence ? 3 : 4], generator: generator).WithGradient();
        Tensor bias = Tensor.Normal([isSequence ? 3 : 4], generator: generator).WithGradient();
        Tensor g = Tensor.Normal(x.Shape.Dimensions, generator: generator);
        Tensor[] leaves = kind switch { "layer without weights" => [x], "root mean square" => [x, weight], _ => [x, weight, bias] };
        Tensor Value(IReadOnlyList<Tensor> inputs) => kind switch
        {
            "layer" => inputs[0].LayerNorm(inputs[1], inputs[2], 0.1f),
            "layer without weights" => inputs[0].LayerNorm(epsilon: 0.1f),
            "root mean square" => inputs[0].RmsNorm(inputs[1], 0.1f),
            _ => inputs[0].BatchNorm(inputs[1], inputs[2], 0.1f),
        };

        Tensor[] fused = Tensor.Gradients(Value(leaves), leaves, g);
        Tensor[] traced = Tensor.Gradients(Value(leaves), leaves, g, createGraph: true);
        foreach ((Tensor expected, Tensor found) in traced.Zip(fused))
        {
            Assert.All(expected.ToArray().Zip(found.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 2e-6f));
        }

        Tensor Penalty(IReadOnlyList<Tensor> inputs)
        {
            Tensor[] variables = [.. inputs.Select(input => input.RequiresGradient ? input : input.WithGradient())];
            return Tensor.Gradients(Value(variables), variables, g, createGraph: true)
                .Select(gradient => gradient.Square().Sum())
                .Aggregate((sum, square) => sum + square);
        }

        GradientChecker.Check(Penalty, [.. leaves.Select(leaf => leaf.Detach())]).ThrowIfFailed();
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_added_to_a_variance_is_finite_and_not_negative(float epsilon)
    {
        Tensor x = Tensor.Ones(5, 4);
        (string Operation, Func<object> Compute)[] wrong =
        [
            ("LayerNorm", () => x.LayerNorm(epsilon: epsilon)), ("LayerNorm", () => new LayerNorm(4, epsilon)),
            ("RmsNorm", () => x.RmsNorm(epsilon: epsilon)), ("RmsNorm", () => new RmsNorm(4, epsilon)),
            ("BatchNorm", () => x.BatchNorm(epsilon: epsilon)), ("BatchNorm1d", () => new BatchNorm1d(4, epsilon)),
            ("BatchNorm", () => x.BatchNorm(Tensor.Ones(4), Tensor.Ones(4), null, null, epsilon)),
        ];
        Assert.All(wrong, given => Assert.StartsWith(given.Operation + ": ε is", Assert.Throws<ArgumentOutOfRangeException>(given.Compute).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Weights_that_do_not_fit_are_told_by_name_and_shape()
    {
        Tensor x = Tensor.Ones(5, 4);
        void Teaches(string operation, string name, Func<Tensor> compute)
        {
            string message = Assert.ThrowsAny<ShapeException>(compute).Message;
            Assert.All((string[])[operation, name, "[3]", "[4]", "[5, 4]"], part => Assert.Contains(part, message, StringComparison.Ordinal));
        }

        Tensor wrong = Tensor.Ones(3);
        Tensor right = Tensor.Ones(4);
        Teaches("LayerNorm", "weight", () => x.LayerNorm(wrong));
        Teaches("LayerNorm", "bias", () => x.LayerNorm(right, wrong));
        Teaches("RmsNorm", "weight", () => x.RmsNorm(wrong));
        Teaches("BatchNorm", "weight", () => x.BatchNorm(wrong));
        Teaches("BatchNorm", "bias", () => x.BatchNorm(null, wrong));
        Teaches("BatchNorm", "mean", () => x.BatchNorm(wrong, right, null, null));
        Teaches("BatchNorm", "variance", () => x.BatchNorm(right, wrong, null, null));
    }

    [Fact]
    public void Layer_and_root_mean_square_norms_are_what_they_say()
    {
        Tensor x = Tensor.Of(new float[,] { { 3, 4, 0, 0 } });
        Assert.All(new RmsNorm(4, 0f).Forward(x).ToArray().Zip([1.2f, 1.6f, 0f, 0f]), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
        Tensor y = new LayerNorm(4, 0f).Forward(x);
        Assert.Equal(0f, y.Mean().Item(), 1e-6f);
        Assert.Equal(1f, y.Square().Mean().Item(), 1e-5f);
        Assert.Contains("must be 4", Assert.ThrowsAny<ShapeException>(() => new LayerNorm(4).Forward(Tensor.Ones(2, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("must be 4", Assert.ThrowsAny<ShapeException>(() => new RmsNorm(4).Forward(Tensor.Ones(2, 3))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Embedding_sums_the_gradients_of_a_row_and_none_for_padding()
    {
        Embedding layer = new(4, 2, paddingIndex: 0, generator: new Generator(1));
        Assert.Equal([0f, 0f], layer.Weight[0].ToArray());
        Tensor y = layer.Forward(new Indices([1, 0, 3, 1], Shape.Create(2, 2)));
        Assert.Equal([2, 2, 2], y.Shape.Dimensions.ToArray());
        Assert.Equal(layer.Weight[3].ToArray(), y[1, 0].ToArray());
        (y * Tensor.Arange(8).Reshape(2, 2, 2)).Sum().Backward();
        Assert.Equal([0f, 0f, 0f + 6f, 1f + 7f, 0f, 0f, 4f, 5f], layer.Weight.Gradient!.ToArray());
        Assert.Contains("Embedding", Assert.Throws<ShapeException>(() => layer.Forward(new[] { 4 })).Message, StringComparison.Ordinal);
        Assert.Contains("from 0 to 3", Assert.Throws<ArgumentOutOfRangeException>(() => new Embedding(4, 2, 4)).Message, StringComparison.Ordinal);
        Indices tokens = new([1, 0, 3, 1], Shape.Create(4));
        GradientChecker.Check(inputs => inputs[0].Embedding(tokens), layer.Weight).ThrowIfFailed();
    }

    [Fact]
    public void Bilinear_is_the_sum_over_both_inputs()
    {
        Bilinear layer = new(2, 3, 4, generator: new Generator(1));
        Tensor a = Tensor.Normal([5, 2], generator: new Generator(2));
        Tensor b = Tensor.Normal([5, 3], generator: new Generator(3));
        Tensor y = layer.Forward(a, b);
        Assert.Equal([5, 4], y.Shape.Dimensions.ToArray());
        for (int row = 0; row < 5; row++)
        {
            for (int output = 0; output < 4; output++)
            {
                double sum = layer.Bias![output].Item();
                for (int i = 0; i < 2; i++)
                {
                    for (int j = 0; j < 3; j++)
                    {
                        sum += (double)a[row, i].Item() * layer.Weight[output, i, j].Item() * b[row, j].Item();
                    }
                }

                Assert.Equal(sum, y[row, output].Item(), 1e-5);
            }
        }

        GradientChecker.Check(inputs => layer.Forward(inputs[0], inputs[1]), a, b).ThrowIfFailed();
        y.Square().Sum().Backward();
        Assert.All(layer.Parameters, parameter => Assert.NotNull(parameter.Gradient));
        Assert.Contains("[…, 2] and […, 3]", Assert.Throws<ShapeException>(() => layer.Forward(b, a)).Message, StringComparison.Ordinal);
    }

    private static void Randomize(Layer layer)
    {
        using NoGrad scope = new();
        foreach (Tensor parameter in layer.Parameters)
        {
            parameter.Assign(Tensor.Normal(parameter.Shape, 1f, 0.3f, new Generator(5)));
        }
    }
}
