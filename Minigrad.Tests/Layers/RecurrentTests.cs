using CsCheck;
using Minigrad.Autodiff;
using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Tests.Layers;

/// <summary>Recurrent layers: gradients, second order, states, lengths, directions, truncation, steps, errors.</summary>
public sealed class RecurrentTests
{
    private static readonly Dictionary<string, Func<int, int, RecurrentOptions, RecurrentLayer>> Kinds = new()
    {
        ["rnn-tanh"] = (input, hidden, options) => new Rnn(input, hidden, options),
        ["rnn-relu"] = (input, hidden, options) => AwayFromKinks(new Rnn(input, hidden, options, Activation.Relu)),
        ["lstm"] = (input, hidden, options) => new Lstm(input, hidden, options),
        ["gru"] = (input, hidden, options) => new Gru(input, hidden, options),
        ["own"] = (input, hidden, options) => new Recurrent<LeakyCell>(new LeakyCell(0.3f), input, hidden, options),
    };

    public static TheoryData<string> Names => [.. Kinds.Keys];

    public static TheoryData<string, bool, bool> NamesAndForms
    {
        get
        {
            TheoryData<string, bool, bool> data = [];
            foreach (string name in Kinds.Keys)
            {
                data.Add(name, false, true);
                data.Add(name, true, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NamesAndForms))]
    public void Gradients_of_inputs_states_and_parameters_agree_with_differences(string name, bool isBidirectional, bool isBatchFirst)
    {
        RecurrentLayer layer = Create(name, 3, 4, new() { LayerCount = 2, IsBidirectional = isBidirectional, IsBatchFirst = isBatchFirst });
        int parts = isBidirectional ? 4 : 2;
        Tensor input = Normal(1, isBatchFirst ? [2, 5, 3] : [5, 2, 3]);
        RecurrentState state = State(layer, parts, 2, 4);
        Tensor[] inputs = [input, state.Hidden, .. state.Cell is null ? Array.Empty<Tensor>() : [state.Cell]];
        GradientChecker.Check(
            values => Everything(layer, values[0], new RecurrentState(values[1], values.Count > 2 ? values[2] : null), null), inputs).ThrowIfFailed();
        GradientChecker.Check(values => WithParameters(layer, values, () => Everything(layer, input, state, null)), layer.Parameters).ThrowIfFailed();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradients_with_different_lengths_agree_with_differences(string name)
    {
        RecurrentLayer layer = Create(name, 3, 4, new() { IsBidirectional = true });
        int[] lengths = [2, 5, 1, 5];
        Tensor input = Normal(1, [4, 5, 3]);
        RecurrentState state = State(layer, 2, 4, 4);
        Tensor[] inputs = [input, state.Hidden, .. state.Cell is null ? Array.Empty<Tensor>() : [state.Cell]];
        GradientChecker.Check(
            values => Everything(layer, values[0], new RecurrentState(values[1], values.Count > 2 ? values[2] : null), lengths), inputs).ThrowIfFailed();
        GradientChecker.Check(values => WithParameters(layer, values, () => Everything(layer, input, state, lengths)), layer.Parameters).ThrowIfFailed();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Second_order_agrees_with_differences_of_the_gradient(string name)
    {
        RecurrentLayer layer = Create(name, 2, 3, new() { IsBidirectional = true });
        int[] lengths = [4, 2];
        RecurrentState state = State(layer, 2, 2, 3);
        GradientChecker.Check(
            values =>
            {
                Tensor x = values[0].RequiresGradient ? values[0] : values[0].Detach().WithGradient();
                Tensor y = Everything(layer, x, state, lengths).Square().Sum();
                return Tensor.Gradients(y, [x], createGraph: true)[0].Square().Sum();
            },
            Normal(1, [2, 4, 2])).ThrowIfFailed();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Fused_sequence_agrees_with_its_primitive_operations(string name) =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 18], Gen.Int[1, 6].Array[1, 4], Gen.ULong).Sample(
            (inputSize, hiddenSize, lengths, seed) =>
            {
                Array.Sort(lengths, (a, b) => b.CompareTo(a));
                PackedSteps steps = new([.. Enumerable.Range(0, lengths[0]).Select(step => lengths.Count(length => length > step))]);
                switch (name)
                {
                    case "lstm":
                        CompareWithPrimitives(default(LstmCell), steps, hiddenSize, seed);
                        break;
                    case "gru":
                        CompareWithPrimitives(default(GruCell), steps, hiddenSize, seed);
                        break;
                    case "rnn-tanh":
                        CompareWithPrimitives(default(ElmanCell<HyperbolicTangent>), steps, hiddenSize, seed);
                        break;
                    case "rnn-relu":
                        CompareWithPrimitives(default(ElmanCell<Rectifier>), steps, hiddenSize, seed);
                        break;
                    default:
                        CompareWithPrimitives(new LeakyCell(0.3f), steps, hiddenSize, seed);
                        break;
                }
            },
            iter: 30);

    [Theory]
    [MemberData(nameof(Names))]
    public void Different_lengths_equal_running_each_sequence_alone(string name)
    {
        RecurrentLayer layer = Create(name, 3, 17, new() { LayerCount = 2, IsBidirectional = true });
        int[] lengths = [3, 7, 1, 7, 4];
        Tensor input = Normal(1, [5, 7, 3]);
        RecurrentState state = State(layer, 4, 5, 17);
        (Tensor output, RecurrentState last) = layer.Forward(input, state, lengths);
        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            RecurrentState own = new(
                state.Hidden.Slice(1, sequence, sequence + 1), state.Cell?.Slice(1, sequence, sequence + 1));
            (Tensor alone, RecurrentState aloneLast) = layer.Forward(input[sequence..(sequence + 1), ..lengths[sequence]], own);
            Assert.Equal(alone.ToArray(), output[sequence, ..lengths[sequence]].ToArray());
            Assert.All(output[sequence, lengths[sequence]..].ToArray(), value => Assert.Equal(0f, value));
            Assert.Equal(aloneLast.Hidden.ToArray(), last.Hidden.Select(1, sequence).ToArray());
            Assert.Equal(aloneLast.Cell?.ToArray(), last.Cell?.Select(1, sequence).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Padding_is_not_read_and_gets_no_gradient(string name)
    {
        RecurrentLayer layer = Create(name, 3, 5, new() { IsBidirectional = true });
        float[] values = Normal(1, [2, 4, 3]).ToArray();
        Array.Fill(values, float.NaN, 6, 6);
        Tensor input = Tensor.Of(values, 2, 4, 3).WithGradient();
        Everything(layer, input, null, [2, 4]).Sum().Backward();
        Assert.All(input.Gradient!.ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.All(input.Gradient[0, 2..].ToArray(), value => Assert.Equal(0f, value));
        Assert.All(layer.Parameters, parameter => Assert.All(parameter.Gradient!.ToArray(), value => Assert.True(float.IsFinite(value))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_one_by_one_equal_the_whole_sequence_to_the_bit(string name)
    {
        RecurrentLayer layer = Create(name, 5, 33, new() { LayerCount = 2 });
        Tensor input = Normal(1, [3, 9, 5]);
        (Tensor whole, RecurrentState last) = layer.Forward(input, null);
        RecurrentState? state = null;
        for (int step = 0; step < 9; step++)
        {
            (Tensor output, state) = layer.Step(input[.., step], state);
            Assert.Equal(whole[.., step].ToArray(), output.ToArray());
        }

        Assert.Equal(last.Hidden.ToArray(), state!.Hidden.ToArray());
        Assert.Equal(last.Cell?.ToArray(), state.Cell?.ToArray());
    }

    // To the bit on the CPU; a device cuts a product by its shape, and with it the rows of a shorter sequence in another way.
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Names))]
    public void Truncated_equals_full_within_the_window(string name)
    {
        RecurrentLayer layer = Create(name, 3, 6, new());
        Tensor first = Normal(1, [2, 4, 3]);
        Tensor second = Normal(2, [2, 5, 3]);
        RecurrentState carried = layer.Forward(first, null).State.Detach();

        // From a carried state, the second part alone gives the same outputs as the whole, and the gradient of a full pass
        // over it from that state.
        Tensor truncatedInput = second.Clone().WithGradient();
        Tensor truncated = layer.Forward(truncatedInput, carried).Output;
        Tensor whole = layer.Forward(Tensor.Concatenate([first, second], 1), null).Output[.., 4..];
        Assert.Equal(whole.ToArray(), truncated.ToArray());
        truncated.Square().Sum().Backward();
        float[] gradient = truncatedInput.Gradient!.ToArray();

        Tensor input = Tensor.Concatenate([first, second], 1).WithGradient();
        layer.Forward(input, null).Output[.., 4..].Square().Sum().Backward();
        Assert.Equal(input.Gradient![.., 4..].ToArray(), gradient);
        Assert.Contains(input.Gradient[.., ..4].ToArray(), value => value != 0f);

        // Without detaching, backward goes on into the first part.
        Tensor before = first.Clone().WithGradient();
        RecurrentState attached = layer.Forward(before, null).State;
        layer.Forward(second, attached).Output.Square().Sum().Backward();
        Assert.Equal(input.Gradient[.., ..4].ToArray(), before.Gradient!.ToArray());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Only_the_last_state_may_be_used(string name)
    {
        RecurrentLayer layer = Create(name, 3, 4, new());
        Tensor input = Normal(1, [2, 5, 3]).WithGradient();
        SequenceOutput result = layer.Forward(input, null);
        result.State.Hidden.Square().Sum().Backward();
        float[] fromState = input.Gradient!.ToArray();
        input.Gradient = null;
        layer.Forward(input)[.., ^1].Square().Sum().Backward();
        Assert.Equal(input.Gradient!.ToArray(), fromState);
        if (result.State.Cell is not null)
        {
            input.Gradient = null;
            layer.Forward(input, null).State.Cell!.Sum().Backward();
            Assert.Contains(input.Gradient!.ToArray(), value => value != 0f);
        }
    }

    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_bits_for_any_number_of_threads(string name)
    {
        List<float[]> results = [];
        int before = CpuBackend.Instance.ThreadCount;
        try
        {
            foreach (int threads in new[] { 1, 2, 3, 8 })
            {
                CpuBackend.Instance.ThreadCount = threads;
                RecurrentLayer layer = Create(name, 20, 70, new() { IsBidirectional = true });
                Everything(layer, Normal(1, [100, 3, 20]), null, null).Square().Sum().Backward();
                results.Add([.. layer.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray())]);
            }
        }
        finally
        {
            CpuBackend.Instance.ThreadCount = before;
        }

        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Fact]
    public void One_sequence_needs_no_batch_dimension()
    {
        Lstm layer = new(3, 4, new() { Generator = new Generator(1) });
        Tensor input = Normal(2, [6, 3]);
        (Tensor output, RecurrentState state) = layer.Forward(input, null);
        Assert.Equal([6, 4], output.Shape.Dimensions.ToArray());
        Assert.Equal(layer.Forward(input.Unsqueeze(0)).ToArray(), output.ToArray());
        Assert.Equal([1, 1, 4], state.Hidden.Shape.Dimensions.ToArray());
        Assert.Equal([0, 6, 4], layer.Forward(Tensor.Zeros(0, 6, 3)).Shape.Dimensions.ToArray());
    }

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

        Assert.Contains("HasBias is false", Assert.Throws<ArgumentException>(() => new Lstm(3, 5, new() { HasBias = false }, 1f)).Message, StringComparison.Ordinal);
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

    [Fact]
    public void Backward_after_a_weight_was_changed_is_an_error_that_names_the_operation()
    {
        Lstm layer = new(3, 4);
        Tensor loss = layer.Forward(Tensor.Ones(2, 3, 3)).Sum();
        using (new NoGrad())
        {
            layer.Parameters[1].Fill(0f);
        }

        Assert.Contains("Sequence(LstmCell) needs 'weight_hh_l0'", Assert.Throws<GradientException>(() => loss.Backward()).Message, StringComparison.Ordinal);
    }

    private static RecurrentLayer Create(string name, int inputSize, int hiddenSize, RecurrentOptions options) =>
        Kinds[name](inputSize, hiddenSize, options with { Generator = new Generator(11) });

    /// <summary>Every other unit is well above relu's kink and the rest well below, so that differences do not step over it.</summary>
    private static Rnn AwayFromKinks(Rnn layer)
    {
        using NoGrad scope = new();
        foreach ((_, Tensor bias) in layer.NamedParameters().Where(entry => entry.Name.StartsWith("bias_ih", StringComparison.Ordinal)))
        {
            bias.Assign([.. bias.ToArray().Select((value, unit) => value + (unit % 2 == 0 ? 6f : -6f))]);
        }

        return layer;
    }

    private static Tensor Normal(ulong seed, int[] shape) => Tensor.Normal(shape, generator: new Generator(seed));

    private static RecurrentState State(RecurrentLayer layer, int parts, int batch, int hidden) => new(
        Normal(21, [parts, batch, hidden]), layer is Lstm ? Normal(22, [parts, batch, hidden]) : null);

    /// <summary>All that a layer gives, as one tensor.</summary>
    private static Tensor Everything(RecurrentLayer layer, Tensor input, RecurrentState? state, int[]? lengths)
    {
        (Tensor output, RecurrentState last) = layer.Forward(input, state, lengths);
        List<Tensor> all = [output.Reshape(-1), last.Hidden.Reshape(-1)];
        if (last.Cell is not null)
        {
            all.Add(last.Cell.Reshape(-1));
        }

        return Tensor.Concatenate(all);
    }

    /// <summary>The layer with other numbers in its parameters, through which gradients flow to those given.</summary>
    private static Tensor WithParameters(RecurrentLayer layer, IReadOnlyList<Tensor> values, Func<Tensor> compute)
    {
        float[][] before = [.. layer.Parameters.Select(parameter => parameter.ToArray())];
        void Assign(Func<int, float[]> source)
        {
            using NoGrad scope = new();
            for (int i = 0; i < before.Length; i++)
            {
                layer.Parameters[i].Assign(source(i));
            }
        }

        Tensor Gradient(Tensor[] gradients, int i) => gradients[i];
        return Tensor.Custom(
            "WithParameters",
            values,
            () =>
            {
                Assign(i => values[i].ToArray());
                Tensor result = compute();
                Assign(i => before[i]);
                return result;
            },
            gradient =>
            {
                bool was = Recording.Set(true);
                try
                {
                    Assign(i => values[i].ToArray());
                    Tensor[] gradients = Tensor.Gradients(compute(), layer.Parameters, gradient);
                    Assign(i => before[i]);
                    return [.. values.Select((_, i) => Gradient(gradients, i))];
                }
                finally
                {
                    Recording.Set(was);
                }
            });
    }

    private static void CompareWithPrimitives<TCell>(TCell cell, PackedSteps steps, int width, ulong seed)
        where TCell : unmanaged, IRecurrentCell
    {
        Generator generator = new(seed);
        Tensor Random(params int[] shape) => Tensor.Normal(shape, generator: generator).WithGradient();
        int gates = cell.GateCount * width;
        SequenceInputs inputs = new(
            Random(steps.TotalRows, gates), (Random(gates, width).Detach() * 0.3f).WithGradient(), seed % 3 == 0 ? null : Random(gates), Random(steps.Batch, width),
            cell.HasState ? Random(steps.Batch, width) : null);
        (Tensor output, Tensor lastHidden, Tensor? lastState) = SequenceNode<TCell>.Run(cell, steps, inputs);
        TracedSequence<TCell> traced = new(cell, steps, inputs);
        Close(traced.Output, output);
        Close(traced.LastHidden, lastHidden);
        Tensor fused = (output.Square().Sum() * 0.5f) + lastHidden.Exp().Sum();
        Tensor primitive = (traced.Output.Square().Sum() * 0.5f) + traced.LastHidden.Exp().Sum();
        if (lastState is not null)
        {
            Close(traced.LastState, lastState);
            fused += lastState.Square().Sum();
            primitive += traced.LastState.Square().Sum();
        }

        List<Tensor> variables = [inputs.Projected, inputs.Weight, inputs.Hidden];
        if (inputs.Bias is not null)
        {
            variables.Add(inputs.Bias);
        }

        if (inputs.State is not null)
        {
            variables.Add(inputs.State);
        }

        Tensor[] expected = Tensor.Gradients(primitive, variables);
        Tensor[] plain = Tensor.Gradients(fused, variables, retainGraph: true);
        Tensor[] recorded = Tensor.Gradients(fused, variables, createGraph: true);
        for (int i = 0; i < expected.Length; i++)
        {
            Close(expected[i], plain[i]);
            Close(expected[i], recorded[i]);
        }
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        float scale = 1f + expected.ToArray().Max(value => MathF.Abs(value));
        Assert.All(expected.ToArray().Zip(actual.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 2e-5f * scale));
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

    /// <summary>A cell of a user's own, with a constant: h′ = (1 − α) · h + α · tanh(x + u).</summary>
    public readonly struct LeakyCell(float rate) : IRecurrentCell
    {
        private readonly float rate = rate;

        public int GateCount => 1;

        public int SavedCount => 1;

        public bool HasState => false;

        public bool SeparatesRecurrent => false;

        public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
            where T : struct, IReal<T>
        {
            T y = T.Tanh(input.First + recurrent.First);
            hidden = ((1f - rate) * hidden) + (rate * y);
            saved = new Gates<T>(y);
        }

        public void Backward<T>(
            Gates<T> saved, T hidden, T state, ref T hiddenGradient, ref T stateGradient, out Gates<T> inputGradient, out Gates<T> recurrentGradient)
            where T : struct, IReal<T>
        {
            inputGradient = new Gates<T>(rate * hiddenGradient * default(HyperbolicTangent).SlopeFromOutput(saved.First));
            recurrentGradient = inputGradient;
            hiddenGradient = (1f - rate) * hiddenGradient;
        }
    }
}
