using System.Text.Json;
using Minigrad.Layers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>layer</c>.</summary>
internal static class LayerCases
{
    /// <summary>Checks outputs and last states, then the gradients of inputs, states and parameters.</summary>
    public static void Run(ConformanceCase item)
    {
        RecurrentLayer layer = Create(item.Text("layer"), item.Attributes);
        Load(layer, item.Field("parameters"));
        layer.To(item.Backend.Backend);
        Dictionary<string, Tensor> variables = Tensors(item, "inputs").ToDictionary(
            entry => entry.Key, entry => entry.Value.ToTensor(item.Backend).WithGradient());
        RecurrentState? state = variables.TryGetValue("h0", out Tensor? hidden)
            ? new RecurrentState(hidden, variables.GetValueOrDefault("c0"))
            : null;
        (Tensor output, RecurrentState last) = layer.Forward(variables["input"], state);

        Dictionary<string, TensorData> expected = Tensors(item, "outputs");
        Dictionary<string, TensorData> outputGradients = Tensors(item, "grad_outputs");
        double floor = Comparison.Floor([.. expected.Values, .. outputGradients.Values]);
        Tensor projected = Tensor.Zeros().To(item.Backend.Backend);
        foreach ((string name, TensorData value) in expected)
        {
            Tensor actual = name switch
            {
                "output" => output,
                "hn" => last.Hidden,
                "cn" when last.Cell is { } cell => cell,
                _ => throw new ConformanceException($"the output '{name}' is not known"),
            };
            item.Check(name, value, actual, floor);
            if (outputGradients.TryGetValue(name, out TensorData? gradient))
            {
                projected += (actual * gradient.ToTensor(item.Backend)).Sum();
            }
        }

        projected.Backward();
        foreach ((string name, Tensor tensor) in layer.NamedParameters())
        {
            variables.Add(name, tensor);
        }

        foreach ((string name, TensorData value) in Tensors(item, "grads"))
        {
            item.Check($"the gradient of {name}", value, variables[name].Gradient!, floor);
        }
    }

    /// <summary>A recurrent layer by PyTorch's name and attributes.</summary>
    public static RecurrentLayer Create(string name, Attributes attributes)
    {
        int inputSize = attributes.Integer("input_size");
        int hiddenSize = attributes.Integer("hidden_size");
        RecurrentOptions options = new()
        {
            LayerCount = attributes.Integer("num_layers", 1),
            IsBidirectional = attributes.Flag("bidirectional", false),
            IsBatchFirst = attributes.Flag("batch_first", false),
            HasBias = attributes.Flag("bias", true),
        };
        return name switch
        {
            "rnn" => new Rnn(inputSize, hiddenSize, options, attributes.Text("nonlinearity", "tanh") switch
            {
                "tanh" => Activation.Tanh,
                "relu" => Activation.Relu,
                string other => throw new ConformanceException($"the nonlinearity '{other}' is not known"),
            }),
            "lstm" => new Lstm(inputSize, hiddenSize, options),
            "gru" => new Gru(inputSize, hiddenSize, options),
            _ => throw new ConformanceException($"the layer '{name}' is not known"),
        };
    }

    /// <summary>Puts the parameters of a case into a module, all of them or none.</summary>
    public static void Load(Module module, JsonElement parameters) => module.LoadState(parameters.EnumerateObject().ToDictionary(
        entry => entry.Name,
        entry => Array.ConvertAll(TensorData.Read(entry.Value)!.Values, value => (float)value)));

    private static Dictionary<string, TensorData> Tensors(ConformanceCase item, string field) =>
        item.Field(field).EnumerateObject().ToDictionary(entry => entry.Name, entry => TensorData.Read(entry.Value)!);
}
