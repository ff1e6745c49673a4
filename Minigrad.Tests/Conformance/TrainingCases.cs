using System.Text.Json;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>training</c>.</summary>
internal static class TrainingCases
{
    /// <summary>Checks the loss and the norm of each step, then the parameters.</summary>
    public static void Run(ConformanceCase item)
    {
        Layer model = ModelOf(item.Field("model"));
        Dictionary<string, Tensor> parameters = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        LayerCases.Load(model, item.Field("parameters"));
        model.To(item.Backend.Backend);
        Attributes attributes = new(item.Field("optimizer_attrs"));
        Optimizer optimizer = OptimizerCases.Create(item.Text("optimizer"), attributes, model.Parameters);
        attributes.CheckAllRead();
        double threshold = item.Field("max_norm").ValueKind == JsonValueKind.Null
            ? double.PositiveInfinity
            : TensorData.ReadNumber(item.Field("max_norm"));
        optimizer.Clip = [Clip.GlobalNorm(threshold)];

        Tensor input = item.Tensor("input")!.ToTensor(item.Backend);
        double[] losses = new double[item.Numbers("losses").Length];
        double[] norms = new double[losses.Length];
        for (int step = 0; step < losses.Length; step++)
        {
            optimizer.ZeroGradients();
            Tensor loss = LossOf(item, model.Forward(input));
            loss.Backward();
            norms[step] = optimizer.Step().Norm;
            losses[step] = loss.Item();
        }

        item.Check("losses", item.Numbers("losses"), losses);
        item.Check("norms", item.Numbers("norms"), norms);
        foreach (JsonProperty entry in item.Field("final_parameters").EnumerateObject())
        {
            item.Check(entry.Name, TensorData.Read(entry.Value)!, parameters[entry.Name]);
        }
    }

    private static Tensor LossOf(ConformanceCase item, Tensor output)
    {
        TensorData target = item.Tensor("target")!;
        string name = item.Text("loss");
        return name switch
        {
            "cross_entropy" => Loss.CrossEntropy(output, target.ToIndices()),
            "mse" => Loss.MeanSquare(output, target.ToTensor(item.Backend)),
            _ => throw new ConformanceException($"the loss '{name}' of a training is not known"),
        };
    }

    private static Layer ModelOf(JsonElement model)
    {
        string type = model.GetProperty("type").GetString()!;
        if (type != "mlp")
        {
            return new RecurrentModel(type, model);
        }

        int[] sizes = [.. model.GetProperty("sizes").EnumerateArray().Select(size => size.GetInt32())];
        string activation = model.GetProperty("activation").GetString()!;
        List<Layer> layers = [];
        for (int i = 0; i + 1 < sizes.Length; i++)
        {
            layers.Add(new Linear(sizes[i], sizes[i + 1]));
            if (i + 2 < sizes.Length)
            {
                layers.Add(ActivationOf(activation));
            }
        }

        return new Sequential(layers);
    }

    private static Layer ActivationOf(string name) => name switch
    {
        "tanh" => new Tanh(),
        "relu" => new Relu(),
        "sigmoid" => new Sigmoid(),
        "gelu" => new Gelu(),
        "silu" => new Silu(),
        "elu" => new Elu(),
        "leaky_relu" => new LeakyRelu(),
        "softplus" => new Softplus(),
        _ => throw new ConformanceException($"the activation '{name}' is not known"),
    };
}
