using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>clip</c>.</summary>
internal static class ClipCases
{
    /// <summary>Checks the gradients after clipping, and the norm before it.</summary>
    public static void Run(ConformanceCase item)
    {
        ClipStage stage = StageOf(item.Text("clip"), item.Attributes);
        TensorData?[] gradients = item.Tensors("grads");
        Tensor[] parameters = [.. item.Tensors("params").Select(data => data!.ToTensor(item.Backend).WithGradient())];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = gradients[i]?.ToTensor(item.Backend);
        }

        // PyTorch refuses no gradient unless it is asked to.
        double norm = stage.Apply(parameters, NonFinitePolicy.Propagate);
        TensorData?[] expected = item.Tensors("expected_grads", parameters.Length);
        for (int i = 0; i < parameters.Length; i++)
        {
            item.Check($"gradient {i}", expected[i]!, parameters[i].Gradient!);
        }

        if (item.Field("expected_norm").ValueKind != System.Text.Json.JsonValueKind.Null)
        {
            item.Check("the norm", [TensorData.ReadNumber(item.Field("expected_norm"))], [norm]);
        }
    }

    private static ClipStage StageOf(string name, Attributes attributes) => name switch
    {
        "global_norm" => Clip.GlobalNorm(attributes.Number("max_norm"), attributes.Number("norm_type", 2)),
        "per_parameter_norm" => Clip.ParameterNorm(attributes.Number("max_norm"), attributes.Number("norm_type", 2)),
        "value" => Clip.Value(attributes.Number("clip_value")),
        "adaptive" => Clip.UnitNorm(attributes.Number("clipping", 0.01), attributes.Number("eps", 1e-3)),
        _ => throw new ConformanceException($"the clip '{name}' is not known"),
    };
}
