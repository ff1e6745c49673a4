using Minigrad.Autodiff;
using Minigrad.Layers;
using static Minigrad.Tests.Layers.RecurrentKinds;

namespace Minigrad.Tests.Layers;

/// <summary>Gradients of recurrent layers, first and second order, against differences; and which of a layer's results they may come from.</summary>
public sealed class RecurrentGradientTests
{
    public static TheoryData<string> Names => [.. RecurrentKinds.All];

    public static TheoryData<string, bool, bool> NamesAndForms
    {
        get
        {
            TheoryData<string, bool, bool> data = [];
            foreach (string name in RecurrentKinds.All)
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
}
