using Minigrad.Layers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>batch_norm_running</c>.</summary>
internal static class BatchNormCases
{
    /// <summary>Checks the outputs in training, the running statistics they leave, and an output in use.</summary>
    public static void Run(ConformanceCase item)
    {
        TensorData[] inputs = [.. item.Tensors("train_inputs").Select(data => data!)];
        TensorData[] outputs = [.. item.Tensors("train_outputs", inputs.Length).Select(data => data!)];
        TensorData evaluated = item.Tensor("eval_output")!;
        if (item.Attributes.IsNull("momentum"))
        {
            throw new ConformanceException("a momentum of null, a mean of all batches, is not known");
        }

        bool isAffine = item.Attributes.Flag("affine", true);
        int features = item.Attributes.Integer("num_features", inputs[0].Shape[1]);
        BatchNorm1d layer = new(features, item.Attributes.Single("eps", 1e-5), item.Attributes.Single("momentum", 0.1), isAffine);
        Dictionary<string, float[]> state = layer.State().ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach (var entry in item.Field("parameters").EnumerateObject())
        {
            state[entry.Name] = Array.ConvertAll(TensorData.Read(entry.Value)!.Values, value => (float)value);
        }

        layer.LoadState(state);
        layer.To(item.Backend.Backend);
        double floor = Comparison.Floor([.. outputs, evaluated]);
        for (int i = 0; i < inputs.Length; i++)
        {
            item.Check($"the output of batch {i}", outputs[i], layer.Forward(inputs[i].ToTensor(item.Backend)), floor);
        }

        item.Check("the running mean", item.Tensor("running_mean")!, layer.RunningMean, floor);
        item.Check("the running variance", item.Tensor("running_var")!, layer.RunningVariance, floor);
        layer.Evaluate();
        item.Check("the output in use", evaluated, layer.Forward(inputs[0].ToTensor(item.Backend)), floor);
    }
}
