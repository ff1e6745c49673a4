using System.Text.Json;
using Minigrad.Layers;

namespace Minigrad.Tests.Conformance;

/// <summary>The recurrent model of the kind <c>training</c>: one layer, batch first, whose last step goes through a linear head.</summary>
internal sealed class RecurrentModel : Layer
{
    private readonly RecurrentLayer rnn;
    private readonly Linear head;

    public RecurrentModel(string type, JsonElement model)
    {
        int hiddenSize = model.GetProperty("hidden_size").GetInt32();
        rnn = Child("rnn", Create(type, model.GetProperty("input_size").GetInt32(), hiddenSize));
        head = Child("head", new Linear(hiddenSize, model.GetProperty("output_size").GetInt32()));
    }

    protected override Tensor Compute(Tensor input) => head.Forward(rnn.Forward(input)[.., ^1]);

    private static RecurrentLayer Create(string type, int inputSize, int hiddenSize) => type switch
    {
        "rnn" => new Rnn(inputSize, hiddenSize),
        "lstm" => new Lstm(inputSize, hiddenSize),
        "gru" => new Gru(inputSize, hiddenSize),
        _ => throw new ConformanceException($"the model '{type}' is not known"),
    };
}
