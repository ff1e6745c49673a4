using Minigrad.Layers;
using Minigrad.Numerics;
using Minigrad.Operations;
using static Minigrad.Tests.Layers.RecurrentKinds;

namespace Minigrad.Tests.Layers;

/// <summary>Recurrent layers as layers: parameters and their start, options, summary, errors.</summary>
public sealed class RecurrentLayerTests
{
    [Fact]
    public void Parameters_have_PyTorchs_names_shapes_and_start()
    {
        Lstm layer = new(3, 5, new() { LayerCount = 2, IsBidirectional = true, Generator = new Generator(1) });
        Assert.Equal(
            [
                "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse",
                "weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1", "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse", "bias_hh_l1_reverse",
            ],
            layer.NamedParameters().Select(entry => entry.Name));
        Assert.Equal([20, 10], layer.Parameters[8].Shape.Dimensions.ToArray());
        float[] all = [.. layer.Parameters.SelectMany(parameter => parameter.ToArray())];
        Assert.All(all, value => Assert.True(MathF.Abs(value) <= 1f / MathF.Sqrt(5f)));
        Assert.Equal(1.0 / 15, all.Average(value => (double)value * value), 0.006);
        Assert.Equal(["weight_ih_l0", "weight_hh_l0"], new Gru(3, 5, new() { HasBias = false }).NamedParameters().Select(entry => entry.Name));
    }

    [Fact]
    public void Forget_bias_and_orthogonal_weights_are_options()
    {
        Lstm layer = new(3, 5, new() { HasOrthogonalStart = true, Generator = new Generator(1) }, forgetBias: 1.5f);
        float[] biases = [.. layer.Parameters[2].ToArray().Zip(layer.Parameters[3].ToArray(), (a, b) => a + b)];
        Assert.All(biases[5..10], value => Assert.Equal(1.5f, value));
        Assert.DoesNotContain(1.5f, biases[..5]);
        for (int gate = 0; gate < 4; gate++)
        {
            Tensor block = layer.Parameters[1][(5 * gate)..(5 * (gate + 1))].Detach();
            Assert.All((block.MatMul(block, transposeRight: true) - Tensor.Eye(5)).ToArray(), value => Assert.Equal(0f, value, 1e-5f));
        }

        Assert.Equal("forgetBias", Assert.Throws<ArgumentOutOfRangeException>(() => new Lstm(3, 5, forgetBias: float.NaN)).ParamName);
        Assert.Equal("Hidden", Assert.Throws<ArgumentNullException>(() => new RecurrentState(null!)).ParamName);
        Assert.Contains("HasBias is false", Assert.Throws<ArgumentException>(() => new Lstm(3, 5, new() { HasBias = false }, 1f)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_sequence_is_a_batch_of_one_in_the_state()
    {
        Lstm layer = new(3, 5, new() { LayerCount = 2, IsBidirectional = true });
        (Tensor output, RecurrentState state) = layer.Forward(Normal(1, [7, 3]), null);
        Assert.Equal(Shape.Create(7, 10), output.Shape);
        Assert.Equal(Shape.Create(4, 1, 5), state.Hidden.Shape);
        Assert.Equal(Shape.Create(4, 1, 5), state.Cell!.Shape);
    }

    [Fact]
    public void Dropout_acts_between_layers_in_training_only()
    {
        Gru layer = new(3, 50, new() { LayerCount = 2, Dropout = 0.5f, Generator = new Generator(1) });
        Tensor input = Normal(2, [2, 4, 3]);
        float[] first = layer.Forward(input).ToArray();
        Assert.NotEqual(first, layer.Forward(input).ToArray());
        Assert.DoesNotContain(0f, first);
        layer.Evaluate();
        Assert.Equal(layer.Forward(input).ToArray(), layer.Forward(input).ToArray());
    }

    [Fact]
    public void Dropout_goes_on_where_the_generator_that_was_given_is_put_back()
    {
        Generator generator = new(1);
        Gru layer = new(3, 50, new() { LayerCount = 2, Dropout = 0.5f, Generator = generator });
        Tensor input = Normal(2, [2, 4, 3]);
        layer.Forward(input);
        ulong position = generator.Position;
        float[] expected = layer.Forward(input).ToArray();
        Assert.NotEqual(position, generator.Position);
        layer.Forward(input);
        generator.Position = position;
        Assert.Equal(expected, layer.Forward(input).ToArray());
    }

    [Fact]
    public void Forward_inside_NoGrad_records_nothing()
    {
        Lstm layer = new(3, 5);
        using NoGrad scope = new();
        (Tensor output, RecurrentState state) = layer.Forward(Normal(1, [2, 4, 3]), null);
        Assert.False(output.RequiresGradient || state.Hidden.RequiresGradient || state.Cell!.RequiresGradient);
    }

    [Fact]
    public void A_summary_shows_a_recurrent_layer()
    {
        string summary = new Reader().Summary(2, 6, 3);
        Assert.Contains("rnn    Gru(3 → 4, 2 layers, bidirectional)  [2, 6, 8]", summary, StringComparison.Ordinal);
        Assert.Contains("Linear(8 → 1)", summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_say_what_is_wrong_and_what_to_do()
    {
        Reader model = new();
        Fails(() => model.Forward(Tensor.Zeros(2, 6, 4)), "In layer 'rnn', Gru(3 → 4, 2 layers, bidirectional)", "[2, 6, 4]", "must be 3", "input size of 4");
        Fails(() => model.Forward(Tensor.Zeros(3)), "[batch, time, 3]");
        Lstm layer = new(3, 4);
        Fails(() => layer.Forward(Tensor.Zeros(2, 0, 3)), "length 0", "at least one step");
        Fails(() => layer.Forward(Tensor.Zeros(2, 6, 3), null, [6]), "1 lengths", "batch of 2");
        Fails(() => layer.Forward(Tensor.Zeros(2, 6, 3), null, [6, 0]), "sequence 1 is 0", "from 1 to 6", "leave it out");
        Fails(() => layer.Forward(Tensor.Zeros(2, 6, 3), null, [7, 1]), "sequence 0 is 7");
        Fails(() => layer.Forward(Tensor.Zeros(2, 6, 3), new RecurrentState(Tensor.Zeros(1, 2, 4))), "hidden values only", "new RecurrentState(hidden, cell)");
        Fails(() => layer.Forward(Tensor.Zeros(2, 6, 3), new RecurrentState(Tensor.Zeros(1, 3, 4), Tensor.Zeros(1, 2, 4))), "hidden values have shape [1, 3, 4]", "[1, 2, 4]");
        Fails(() => new Gru(3, 4).Forward(Tensor.Zeros(2, 6, 3), new RecurrentState(Tensor.Zeros(1, 2, 4), Tensor.Zeros(1, 2, 4))), "cell states, which a Gru does not carry");
        Fails(() => layer.Step(Tensor.Zeros(2, 1, 3)), "[batch, 3]", "[2, 1, 3]");
        Assert.Contains("not go on step by step", Assert.Throws<InvalidOperationException>(
            () => new Gru(3, 4, new() { IsBidirectional = true }).Step(Tensor.Zeros(2, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("only one", Assert.Throws<ArgumentException>(() => new Gru(3, 4, new() { Dropout = 0.5f })).Message, StringComparison.Ordinal);
        Assert.Contains("Tanh or Relu", Assert.Throws<ArgumentException>(() => new Rnn(3, 4, activation: Activation.Sigmoid)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Gru(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Gru(3, 4, new() { LayerCount = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Gru(3, 4, new() { LayerCount = 2, Dropout = 1.5f }));

        static void Fails(Action action, params string[] parts)
        {
            string message = Assert.ThrowsAny<ShapeException>(action).Message;
            Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(0, 1, "GateCount of 0")]
    [InlineData(5, 1, "GateCount of 5")]
    [InlineData(4, 0, "SavedCount of 0")]
    [InlineData(4, -1, "SavedCount of -1")]
    [InlineData(4, 5, "SavedCount of 5")]
    public void A_cell_of_more_numbers_than_there_is_room_for_is_refused(int gates, int saved, string count)
    {
        string message = Assert.Throws<ArgumentException>(() => new Recurrent<CountedCell>(new CountedCell(gates, saved), 2, 3)).Message;
        Assert.StartsWith($"The cell CountedCell has a {count}, but it must be from 1 to 4", message, StringComparison.Ordinal);
        Assert.Equal([12, 2], new Recurrent<CountedCell>(new CountedCell(4, 4), 2, 3).Parameters[0].Shape.Dimensions.ToArray());
    }

    private readonly struct CountedCell(int gates, int saved) : IRecurrentCell
    {
        public int GateCount { get; } = gates;

        public int SavedCount { get; } = saved;

        public bool HasState => false;

        public bool SeparatesRecurrent => false;

        public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
            where T : struct, IReal<T> => throw new NotSupportedException();

        public void Backward<T>(
            Gates<T> saved, T hidden, T state, ref T hiddenGradient, ref T stateGradient, out Gates<T> inputGradient, out Gates<T> recurrentGradient)
            where T : struct, IReal<T> => throw new NotSupportedException();
    }

    private sealed class Reader : Layer
    {
        private readonly Gru rnn;
        private readonly Linear head;

        public Reader()
        {
            rnn = Child("rnn", new Gru(3, 4, new() { LayerCount = 2, IsBidirectional = true }));
            head = Child("head", new Linear(8, 1));
        }

        protected override Tensor Compute(Tensor input) => head.Forward(rnn.Forward(input)[.., ^1]);
    }
}
