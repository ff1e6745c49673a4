using Minigrad.Backends.Cpu;
using Minigrad.Layers;
using static Minigrad.Tests.Layers.RecurrentKinds;

namespace Minigrad.Tests.Layers;

/// <summary>Sequences of different lengths, one by one, step by step, and in parts: each gives what the whole gives.</summary>
public sealed class RecurrentSequenceTests
{
    public static TheoryData<string> Names => [.. RecurrentKinds.All];

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
            AssertSame(alone, output[sequence, ..lengths[sequence]]);
            Assert.All(output[sequence, lengths[sequence]..].ToArray(), value => Assert.Equal(0f, value));
            AssertSame(aloneLast.Hidden, last.Hidden.Select(1, sequence));
            if (aloneLast.Cell is not null)
            {
                AssertSame(aloneLast.Cell, last.Cell!.Select(1, sequence));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Without_a_backward_the_numbers_are_the_same(string name)
    {
        RecurrentLayer layer = Create(name, 3, 40, new() { LayerCount = 2, IsBidirectional = true });
        Tensor input = Normal(1, [70, 7, 3]);
        RecurrentState state = State(layer, 4, 70, 40);
        int[] lengths = [.. Enumerable.Range(0, 70).Select(sequence => 1 + (sequence * 3 % 7))];
        float[] recorded = Everything(layer, input, state, lengths).ToArray();
        using NoGrad scope = new();
        Assert.Equal(recorded, Everything(layer, input, state, lengths).ToArray());
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

    // To the bit on the CPU; a device cuts a product by its shape, and a step alone has fewer rows.
    [Trait(SuiteBackend.Trait, SuiteBackend.CpuOnly)]
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
    public void An_empty_batch_gives_empty_outputs_and_gradients_of_zero(string name)
    {
        using Gpu.GpuFixture gpu = new();
        foreach (bool isBatchFirst in new[] { true, false })
        {
            foreach (bool isBidirectional in new[] { true, false })
            {
                RecurrentLayer layer = Create(name, 2, 3, new() { LayerCount = 2, IsBidirectional = isBidirectional, IsBatchFirst = isBatchFirst });
                AssertEmpty(layer, Tensor.Zeros(isBatchFirst ? [0, 5, 2] : [5, 0, 2]));
                layer.To(gpu.Backend);
                AssertEmpty(layer, Tensor.Zeros(isBatchFirst ? [0, 5, 2] : [5, 0, 2]).To(gpu.Backend));
            }
        }

        Lstm lstm = new(2, 3);
        Assert.Equal([0, 3], lstm.Step(Tensor.Zeros(0, 2)).Output.Shape.Dimensions.ToArray());
        Assert.Contains("[0, 5, 3]", new Lstm(3, 3).Summary(0, 5, 3), StringComparison.Ordinal);
        Assert.Equal([0, 4, 3], lstm.Forward(Tensor.Zeros(5, 2).Embedding(new Indices([], Shape.Create([0, 4])))).Shape.Dimensions.ToArray());
    }

    private static void AssertEmpty(RecurrentLayer layer, Tensor input)
    {
        int parts = layer.Parameters.Count / 4;
        Shape shape = Shape.Create([input.Shape[0], input.Shape[1], layer.OutputSize]);
        using (new NoGrad())
        {
            Assert.Equal(shape, layer.Forward(input).Shape);
        }

        foreach (int[]? lengths in new int[]?[] { null, [] })
        {
            foreach (bool hasState in new[] { true, false })
            {
                Tensor variable = input.Detach().Clone().WithGradient();
                RecurrentState? state = hasState ? Initial() : null;
                (Tensor output, RecurrentState last) = layer.Forward(variable, state, lengths);
                Assert.Equal(shape, output.Shape);
                Assert.Equal([parts, 0, 3], last.Hidden.Shape.Dimensions.ToArray());
                Assert.Equal(layer is Lstm, last.Cell is not null);
                (output.Sum() + last.Hidden.Sum() + (last.Cell ?? last.Hidden).Sum()).Backward();
                Assert.Equal(input.Shape, variable.Gradient!.Shape);
                Assert.All(layer.Parameters, parameter => Assert.All(parameter.Gradient!.ToArray(), value => Assert.Equal(0f, value)));

                Tensor[] leaves = [variable, .. layer.Parameters];
                Tensor[] gradients = Tensor.Gradients(layer.Forward(variable, state, lengths).Output.Square().Sum(), leaves, createGraph: true);
                Assert.All(gradients.Zip(leaves), pair => Assert.Equal(pair.Second.Shape, pair.First.Shape));
                Assert.All(gradients.SelectMany(gradient => gradient.ToArray()), value => Assert.Equal(0f, value));
            }
        }

        RecurrentState Initial()
        {
            RecurrentState state = State(layer, parts, 0, 3);
            return new RecurrentState(state.Hidden.To(input.Backend), state.Cell?.To(input.Backend));
        }
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

    /// <summary>To the bit on the CPU. A device cuts a product by its shape, so a sequence alone has other sums, of a few dozen terms.</summary>
    private static void AssertSame(Tensor expected, Tensor actual)
    {
        float tolerance = Tensor.DefaultBackend is CpuBackend ? 0f : 1e-5f;
        Assert.All(
            expected.ToArray().Zip(actual.ToArray()),
            pair => Assert.True(
                MathF.Abs(pair.First - pair.Second) <= tolerance * (1f + MathF.Abs(pair.First)), $"{pair.First:G9} and {pair.Second:G9}"));
        Assert.Equal(expected.Length, actual.Length);
    }
}
