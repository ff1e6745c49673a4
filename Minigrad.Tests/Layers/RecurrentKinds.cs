using Minigrad.Layers;

namespace Minigrad.Tests.Layers;

/// <summary>The kinds of recurrent layers that each test is run over, and what the tests run them with.</summary>
internal static class RecurrentKinds
{
    private static readonly Dictionary<string, Func<int, int, RecurrentOptions, RecurrentLayer>> Kinds = new()
    {
        ["rnn-tanh"] = (input, hidden, options) => new Rnn(input, hidden, options),
        ["rnn-relu"] = (input, hidden, options) => AwayFromKinks(new Rnn(input, hidden, options, Activation.Relu)),
        ["lstm"] = (input, hidden, options) => new Lstm(input, hidden, options),
        ["gru"] = (input, hidden, options) => new Gru(input, hidden, options),
        ["own"] = (input, hidden, options) => new Recurrent<LeakyCell>(new LeakyCell(0.3f), input, hidden, options),
    };

    /// <summary>The names of all kinds.</summary>
    public static IEnumerable<string> All => Kinds.Keys;

    /// <summary>A layer of a kind, the same at each call.</summary>
    public static RecurrentLayer Create(string name, int inputSize, int hiddenSize, RecurrentOptions options) =>
        Kinds[name](inputSize, hiddenSize, options with { Generator = new Generator(11) });

    /// <summary>Numbers of a normal distribution.</summary>
    public static Tensor Normal(ulong seed, int[] shape) => Tensor.Normal(shape, generator: new Generator(seed));

    /// <summary>A state for a layer to begin with.</summary>
    public static RecurrentState State(RecurrentLayer layer, int parts, int batch, int hidden) => new(
        Normal(21, [parts, batch, hidden]), layer is Lstm ? Normal(22, [parts, batch, hidden]) : null);

    /// <summary>All that a layer gives, as one tensor.</summary>
    public static Tensor Everything(RecurrentLayer layer, Tensor input, RecurrentState? state, int[]? lengths)
    {
        (Tensor output, RecurrentState last) = layer.Forward(input, state, lengths);
        List<Tensor> all = [output.Reshape(-1), last.Hidden.Reshape(-1)];
        if (last.Cell is not null)
        {
            all.Add(last.Cell.Reshape(-1));
        }

        return Tensor.Concatenate(all);
    }

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
}
