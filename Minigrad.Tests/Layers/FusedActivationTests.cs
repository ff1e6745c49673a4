using CsCheck;
using Minigrad.Layers;

namespace Minigrad.Tests.Layers;

/// <summary>A fully connected layer that applies the activation after it, held against the two layers one after the other.</summary>
public sealed class FusedActivationTests
{
    private static readonly Func<Layer>[] Activations = [() => new Relu(), () => new Tanh(), () => new Sigmoid()];

    [Fact]
    public void Outputs_and_gradients_have_the_bits_of_layer_after_layer() => Gen.Select(
        Gen.Int[0, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Bool).Sample(
        (rows, inputs, outputs, batch, activation, hasBias) =>
        {
            Sequential model = new(new Linear(inputs, outputs, hasBias, new Generator(1)), Activations[activation]());
            Tensor x = Tensor.Normal(batch == 1 ? [rows, inputs] : [batch, rows, inputs], generator: new Generator(2)).WithGradient();
            Tensor g = Tensor.Normal(batch == 1 ? [rows, outputs] : [batch, rows, outputs], generator: new Generator(3));
            Tensor[] leaves = [x, .. model.Parameters];
            Tensor[] results = [model.Forward(x), model[1].Forward(model[0].Forward(x))];
            float[][] gradients = [.. results.Select(y => Gradients((y * g).Sum(), leaves))];
            return results[0].ToArray().SequenceEqual(results[1].ToArray()) && gradients[0].SequenceEqual(gradients[1]);
        },
        iter: 200);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Gradients_of_gradients_are_those_of_layer_after_layer(int activation)
    {
        Sequential model = new(new Linear(5, 4, generator: new Generator(1)), Activations[activation]());
        Tensor x = Tensor.Normal([6, 5], generator: new Generator(2)).WithGradient();
        Tensor[] leaves = [x, .. model.Parameters];
        float[] Second(Tensor y)
        {
            Tensor[] first = Tensor.Gradients(y.Square().Sum(), leaves, createGraph: true);
            return Gradients(first[0].Square().Sum() + first[1].Square().Sum(), leaves);
        }

        Assert.Equal(Second(model[1].Forward(model[0].Forward(x))), Second(model.Forward(x)));
    }

    [Fact]
    public void Only_the_output_is_kept_and_must_not_change()
    {
        Sequential model = new(new Linear(3, 2), new Tanh());
        Tensor y = model.Forward(Tensor.Ones(4, 3));
        Tensor loss = y.Square().Sum();
        y.Detach().Assign(Tensor.Zeros(4, 2));
        string message = Assert.Throws<GradientException>(() => loss.Backward()).Message;
        Assert.Contains("[4, 2]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_that_does_not_fit_names_the_fully_connected_layer()
    {
        Sequential model = new(new Linear(3, 2), new Relu(), new Linear(4, 1), new Relu());
        string message = Assert.ThrowsAny<ShapeException>(() => model.Forward(Tensor.Ones(5, 3))).Message;
        Assert.Contains("In layer '2', Linear(4 → 1)", message, StringComparison.Ordinal);
    }

    private static float[] Gradients(Tensor loss, Tensor[] leaves) =>
        [.. Tensor.Gradients(loss, leaves).SelectMany(gradient => gradient.ToArray())];
}
