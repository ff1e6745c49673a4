using Minigrad.Optimizers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kinds <c>update_clip</c>, <c>spam</c> and <c>per_example</c>, which papers' formulas were computed for.</summary>
internal static class UpdateCases
{
    /// <summary>Checks all parameters and the coefficients of their updates after every step.</summary>
    public static void RunUpdateClip(ConformanceCase item)
    {
        Tensor[] parameters = [.. item.Tensors("params").Select(data => data!.ToTensor(item.Backend).WithGradient())];
        Optimizer optimizer = OptimizerCases.Create(item.Text("optimizer"), item.Attributes, parameters);
        optimizer.UpdateClip = ClipOf(item);
        double[][] coefficients =
            [.. item.Field("coefficients").EnumerateArray().Select(step => step.EnumerateArray().Select(TensorData.ReadNumber).ToArray())];
        TensorData[][] gradients = OptimizerCases.Steps(item, "grads");
        TensorData[][] expected = OptimizerCases.Steps(item, "expected");
        for (int step = 0; step < gradients.Length; step++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].Gradient = gradients[step][i].ToTensor(item.Backend);
            }

            StepReport report = optimizer.Step();
            if (item.Has("reports"))
            {
                double[] wanted = [.. item.Field("reports")[step].EnumerateArray().Select(TensorData.ReadNumber)];
                StageReport stage = report.Stages.Single();
                item.Check($"what step {step + 1} reports", wanted, [stage.Norm, stage.Threshold, stage.Coefficient, stage.Acted ? 1 : 0]);
            }

            double[] parts = [.. report.UpdateCoefficients.Select(part => part.Coefficient)];
            item.Check($"the coefficients of step {step + 1}", coefficients[step], parts);
            item.Check($"the smallest coefficient of step {step + 1}", [coefficients[step].Min()], [report.UpdateCoefficient]);
            for (int i = 0; i < parameters.Length; i++)
            {
                item.Check($"parameter {i} after step {step + 1}", expected[step][i], parameters[i]);
            }
        }
    }

    /// <summary>Checks the parameter after every step of <see cref="Spam"/>, and under a threshold that follows the past what it reports.</summary>
    public static void RunSpam(ConformanceCase item)
    {
        Attributes a = item.Attributes;
        Tensor parameter = item.Tensor("param")!.ToTensor(item.Backend).WithGradient();
        double[] betas = a.Numbers("betas")!;
        Spam optimizer = new(
            [parameter],
            a.Number("lr"),
            betas[0],
            betas[1],
            a.Number("eps"),
            a.Number("weight_decay", 0),
            item.Has("threshold") ? ThresholdOf(item) : a.Number("theta"),
            a.Integer("reset"),
            a.Integer("warm_up"),
            a.Integer("delay"))
        { Maximize = a.Flag("maximize", false) };
        TensorData?[] gradients = item.Tensors("grads");
        TensorData?[] expected = item.Tensors("expected");
        for (int step = 0; step < gradients.Length; step++)
        {
            parameter.Gradient = gradients[step]!.ToTensor(item.Backend);
            StepReport report = optimizer.Step();
            if (item.Has("reports"))
            {
                double[] wanted = [.. item.Field("reports")[step].EnumerateArray().Select(TensorData.ReadNumber)];
                StageReport stage = report.Stages.Single();
                item.Check($"what step {step + 1} reports", wanted, [stage.Norm, stage.Threshold, stage.Coefficient, stage.Acted ? 1 : 0]);
            }

            item.Check($"the parameter after step {step + 1}", expected[step]!, parameter);
        }
    }

    /// <summary>Checks norms, count and gradients of a linear model whose loss is the sum of squared errors.</summary>
    public static void RunPerExample(ConformanceCase item)
    {
        Tensor weight = item.Tensor("weight")!.ToTensor(item.Backend).WithGradient();
        Tensor bias = item.Tensor("bias")!.ToTensor(item.Backend).WithGradient();
        Tensor x = item.Tensor("x")!.ToTensor(item.Backend);
        Tensor target = item.Tensor("target")!.ToTensor(item.Backend);
        PerExampleReport report = new PerExampleClip(item.Attributes.Number("threshold")).Backward(
            [weight, bias],
            x.Shape[0],
            row => (x.IndexSelect(0, [row]).MatMul(weight) + bias - target.IndexSelect(0, [row])).Square().Sum());
        item.Check("the norms", item.Numbers("norms"), [.. report.Norms]);
        item.Check("the number of clipped examples", [item.Field("clipped").GetInt32()], [report.ClippedCount]);
        item.Check("the gradient of the weight", item.Tensor("expected_weight")!, weight.Gradient!);
        item.Check("the gradient of the bias", item.Tensor("expected_bias")!, bias.Gradient!);
    }

    private static Threshold ThresholdOf(ConformanceCase item)
    {
        Attributes settings = new(item.Field("settings"));
        Threshold threshold = ClipStepsCases.ThresholdOf(item.Text("threshold"), settings);
        settings.CheckAllRead();
        return threshold;
    }

    private static UpdateClip ClipOf(ConformanceCase item)
    {
        Attributes a = item.Attributes;
        Threshold threshold = a.Number("threshold", 1);
        if (item.Has("threshold"))
        {
            threshold = ThresholdOf(item);
        }

        return a.Text("clip", string.Empty) switch
        {
            "rms" => UpdateClip.Rms(threshold),
            "stable_adamw" => UpdateClip.StableAdamW(a.Number("clip_eps"), threshold),
            "clippy" => UpdateClip.Clippy(a.Number("relative", 0.1), a.Number("absolute", 1e-7), threshold),
            string other => throw new ConformanceException($"the clip of updates '{other}' is not known"),
        };
    }
}
