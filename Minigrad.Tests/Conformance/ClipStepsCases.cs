using System.Text.Json;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kinds <c>clip_steps</c> and <c>clip_edge</c>, whose references are formulas of papers and libraries.</summary>
internal static class ClipStepsCases
{
    /// <summary>A stage under a threshold, over several steps: applied by hand, and in an optimizer, whose report is checked.</summary>
    public static void RunSteps(ConformanceCase item)
    {
        Attributes settings = new(item.Field("settings"));
        ClipStage byHand = StageOf(item.Text("clip"), item.Attributes, ThresholdOf(item.Text("threshold"), settings));
        ClipStage inOptimizer = StageOf(item.Text("clip"), item.Attributes, ThresholdOf(item.Text("threshold"), settings));
        settings.CheckAllRead();
        Tensor[] parameters = Parameters(item);
        Sgd optimizer = new(parameters, learningRate: 0) { Clip = [inOptimizer], NonFinite = NonFinitePolicy.Propagate };
        int number = 0;
        foreach (JsonElement step in item.Field("steps").EnumerateArray())
        {
            number++;
            TensorData[] gradients = Tensors(step.GetProperty("grads"));
            Use(item, parameters, gradients);
            StageReport report = optimizer.Step().Stages[0];
            if (step.GetProperty("expected_report") is { ValueKind: JsonValueKind.Array } expected)
            {
                double[] numbers = [.. expected.EnumerateArray().Select(TensorData.ReadNumber)];
                foreach ((string what, double want, double have) in new[]
                {
                    ("norm", numbers[0], report.Norm), ("threshold", numbers[1], report.Threshold), ("coefficient", numbers[2], report.Coefficient),
                })
                {
                    item.Check($"step {number}: the {what}", [want], [have]);
                }

                item.Check($"step {number}: whether it acted", [numbers[3]], [report.Acted ? 1 : 0]);
            }

            Use(item, parameters, gradients);
            byHand.Apply(parameters);
            TensorData[] clipped = Tensors(step.GetProperty("expected_grads"));
            for (int i = 0; i < parameters.Length; i++)
            {
                item.Check($"step {number}: gradient {i}", clipped[i], parameters[i].Gradient!);
            }
        }
    }

    /// <summary>One gradient at an edge: what is left of it, or what the error says.</summary>
    public static void RunEdge(ConformanceCase item)
    {
        Tensor[] parameters = Parameters(item);
        Use(item, parameters, Tensors(item.Field("grads")));
        NonFinitePolicy policy = item.Text("policy") switch
        {
            "throw" => NonFinitePolicy.Throw,
            "skip" => NonFinitePolicy.SkipStep,
            "zero" => NonFinitePolicy.ZeroBadValues,
            "propagate" => NonFinitePolicy.Propagate,
            string other => throw new ConformanceException($"the policy '{other}' is not known"),
        };
        Exception? error = Record.Exception(() =>
            StageOf(item.Text("clip"), item.Attributes, TensorData.ReadNumber(item.Field("bound"))).Apply(parameters, policy));
        if (item.Field("expected_error") is { ValueKind: JsonValueKind.String } expected)
        {
            if (error?.Message.Contains(expected.GetString()!, StringComparison.Ordinal) != true)
            {
                throw new ConformanceException($"an error with '{expected}' was expected, but it is: {error?.Message ?? "none"}");
            }

            return;
        }

        TensorData[] gradients = error is null ? Tensors(item.Field("expected_grads")) : throw new ConformanceException(error.Message);
        for (int i = 0; i < gradients.Length; i++)
        {
            item.Check($"gradient {i}", gradients[i], parameters[i].Gradient!);
        }
    }

    private static Tensor[] Parameters(ConformanceCase item) =>
        [.. item.Tensors("params").Select((data, i) => data!.ToTensor(item.Backend).WithGradient($"p{i}"))];

    private static TensorData[] Tensors(JsonElement list) => [.. list.EnumerateArray().Select(data => TensorData.Read(data)!)];

    private static void Use(ConformanceCase item, Tensor[] parameters, TensorData[] gradients)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Gradient = gradients[i].ToTensor(item.Backend);
        }
    }

    private static ClipStage StageOf(string name, Attributes attributes, Threshold threshold) => name switch
    {
        "global_norm" => Clip.GlobalNorm(threshold, attributes.Number("norm_type", 2)),
        "per_parameter_norm" => Clip.ParameterNorm(threshold, attributes.Number("norm_type", 2)),
        "block_rms" => Clip.BlockRms(threshold),
        "average_norm" => Clip.AverageNorm(threshold),
        "adaptive" => Clip.UnitNorm(threshold, attributes.Number("eps", 1e-3)),
        "adaptive_columns" => Clip.UnitNorm(threshold, attributes.Number("eps", 1e-3), UnitLayout.Columns),
        "value" => Clip.Value(threshold),
        "value_range" => Clip.Value(attributes.Number("low"), attributes.Number("high"), threshold),
        _ => throw new ConformanceException($"the clip '{name}' is not known"),
    };

    /// <summary>The threshold that a case names, with its settings.</summary>
    internal static Threshold ThresholdOf(string name, Attributes settings) => name switch
    {
        "fixed" => settings.Number("threshold"),
        "schedule" => Schedule.Exponential(settings.Number("initial"), settings.Number("factor")),
        "percentile" => Threshold.Percentile(settings.Number("percentile"), settings.Integer("window"), settings.Integer("warmup", 0)),
        "z_score" => Threshold.ZScore(
            settings.Number("limit"),
            settings.Text("target", "reciprocal") switch
            {
                "reciprocal" => SpikeTarget.Reciprocal,
                "mean" => SpikeTarget.Mean,
                "limit" => SpikeTarget.Limit,
                string other => throw new ConformanceException($"the target '{other}' is not known"),
            },
            settings.Number("decay"),
            settings.Integer("warmup"),
            settings.Number("maximum", double.PositiveInfinity),
            settings.Number("eps", 1e-6)),
        "moving_average" => Threshold.MovingAverage(
            settings.Number("relative"), settings.Number("absolute"), settings.Number("decay"), settings.Integer("warmup")),
        "streaming_quantile" => Threshold.StreamingQuantile(
            settings.Number("quantile"),
            settings.Number("initial"),
            settings.Number("rate"),
            settings.Number("minimum", 1e-9),
            settings.Number("maximum", 1e9)),
        "median_deviation" => Threshold.MedianDeviation(
            settings.Number("deviations"), settings.Integer("window"), settings.Integer("warmup")),
        _ => throw new ConformanceException($"the threshold '{name}' is not known"),
    };
}
