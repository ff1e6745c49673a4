using System.Text.Json;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>preset</c>: an optimizer and a clip by another library's names, defaults and conventions.</summary>
internal static class PresetCases
{
    /// <summary>Checks all parameters after every step; each step has its own learning rate.</summary>
    public static void Run(ConformanceCase item)
    {
        Run(item, byGroup: false);
        Run(item, byGroup: true);
    }

    /// <summary>The same formulas hold if it is each group that says its learning rate and weight decay, and the optimizer none.</summary>
    private static void Run(ConformanceCase item, bool byGroup)
    {
        Tensor[] parameters = [.. item.Tensors("params").Select(data => data!.ToTensor(item.Backend).WithGradient())];
        ParameterGroup[] groups = byGroup ? [new(parameters[..1]), new(parameters[1..])] : [new(parameters)];
        string library = item.Text("library");
        Optimizer optimizer = library switch
        {
            "pytorch" => PyTorch(item.Text("optimizer"), item.Attributes, groups),
            "keras" => Keras(item.Text("optimizer"), item.Attributes, groups),
            _ => throw new ConformanceException($"the library '{library}' is not known"),
        };
        if (item.Field("clip") is { ValueKind: JsonValueKind.Object } clip)
        {
            Attributes attributes = new(clip);
            optimizer.Clip = [StageOf(attributes.Text("name", string.Empty), attributes)];
            attributes.CheckAllRead();
        }

        double[] rates = item.Numbers("rates");
        JsonElement[] gradients = [.. item.Field("grads").EnumerateArray()];
        JsonElement[] expected = [.. item.Field("expected").EnumerateArray()];
        Assert.Equal(rates[0], optimizer.LearningRate);
        if (byGroup)
        {
            Array.ForEach(groups, group => group.WeightDecay = optimizer.WeightDecay);
            (optimizer.LearningRate, optimizer.WeightDecay) = (0, 0);
        }

        for (int step = 0; step < rates.Length; step++)
        {
            if (byGroup)
            {
                Array.ForEach(groups, group => group.LearningRate = rates[step]);
            }
            else
            {
                optimizer.LearningRate = rates[step];
            }

            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].Gradient = TensorData.Read(gradients[step][i])!.ToTensor(item.Backend);
            }

            optimizer.Step();
            for (int i = 0; i < parameters.Length; i++)
            {
                item.Check($"parameter {i} after step {step + 1}", TensorData.Read(expected[step][i])!, parameters[i]);
            }
        }
    }

    private static ClipStage StageOf(string name, Attributes attributes) => name switch
    {
        "clip_grad_norm" => LikePyTorch.ClipGradNorm(attributes.Number("value"), attributes.Number("order", 2)),
        "clip_grad_value" => LikePyTorch.ClipGradValue(attributes.Number("value")),
        "clipnorm" => LikeKeras.ClipNorm(attributes.Number("value")),
        "global_clipnorm" => LikeKeras.GlobalClipNorm(attributes.Number("value")),
        "clipvalue" => LikeKeras.ClipValue(attributes.Number("value")),
        _ => throw new ConformanceException($"the clip '{name}' is not known"),
    };

    private static Optimizer PyTorch(string name, Attributes a, ParameterGroup[] p)
    {
        double[]? betas = a.Numbers("betas");
        return (name, betas, a.Has("eps") || a.Has("weight_decay") || a.Has("amsgrad")) switch
        {
            // A case without attributes is made by the preset's own defaults.
            ("adam", null, false) => LikePyTorch.Adam(p),
            ("adam", _, _) => LikePyTorch.Adam(p, beta1: betas?[0] ?? 0.9, beta2: betas?[1] ?? 0.999, epsilon: a.Number("eps", 1e-8), weightDecay: a.Number("weight_decay", 0), amsGrad: a.Flag("amsgrad", false)),
            ("adamw", null, false) => LikePyTorch.AdamW(p),
            ("adamw", _, _) => LikePyTorch.AdamW(p, weightDecay: a.Number("weight_decay"), amsGrad: a.Flag("amsgrad", false)),
            ("adamax", _, false) => LikePyTorch.Adamax(p),
            ("adamax", _, true) => LikePyTorch.Adamax(p, epsilon: a.Number("eps")),
            ("radam", _, false) => LikePyTorch.RAdam(p),
            ("radam", _, true) => LikePyTorch.RAdam(p, weightDecay: a.Number("weight_decay")),
            ("adadelta", _, false) => LikePyTorch.Adadelta(p),
            ("adadelta", _, true) => LikePyTorch.Adadelta(p, rho: a.Number("rho"), weightDecay: a.Number("weight_decay")),
            ("nadam", _, _) => a.Has("momentum_decay") ? LikePyTorch.NAdam(p, momentumDecay: a.Number("momentum_decay")) : LikePyTorch.NAdam(p),
            ("adagrad", _, _) => a.Has("lr_decay")
                ? LikePyTorch.Adagrad(p, learningRateDecay: a.Number("lr_decay"), initialAccumulator: a.Number("initial_accumulator_value"))
                : LikePyTorch.Adagrad(p),
            ("rmsprop", _, _) => a.Has("alpha") ? LikePyTorch.RmsProp(p, alpha: a.Number("alpha"), momentum: a.Number("momentum"))
                : a.Has("centered") ? LikePyTorch.RmsProp(p, epsilon: a.Number("eps"), centered: a.Flag("centered", false))
                : LikePyTorch.RmsProp(p),
            ("sgd", _, _) => a.Has("momentum")
                ? LikePyTorch.Sgd(p, momentum: a.Number("momentum"), dampening: a.Number("dampening", 0), weightDecay: a.Number("weight_decay", 0), nesterov: a.Flag("nesterov", false))
                : LikePyTorch.Sgd(p),
            _ => throw new ConformanceException($"the optimizer '{name}' is not known"),
        };
    }

    private static Optimizer Keras(string name, Attributes a, ParameterGroup[] p)
    {
        double decay = a.Number("weight_decay", name == "adamw" ? 0.004 : 0);
        double epsilon = a.Number("epsilon", 1e-7);
        double beta1 = a.Number("beta_1", 0.9);
        double beta2 = a.Number("beta_2", 0.999);
        bool isPlain = !new[] { "weight_decay", "epsilon", "beta_1", "beta_2", "momentum", "rho", "centered", "amsgrad", "initial_accumulator_value" }.Any(a.Has);
        return (name, isPlain) switch
        {
            ("sgd", true) => LikeKeras.Sgd(p),
            ("sgd", false) => LikeKeras.Sgd(p, momentum: a.Number("momentum"), nesterov: a.Flag("nesterov", false), weightDecay: decay),
            ("adam", true) => LikeKeras.Adam(p),
            ("adam", false) => LikeKeras.Adam(p, beta1: beta1, beta2: beta2, epsilon: epsilon, amsGrad: a.Flag("amsgrad", false), weightDecay: decay),
            ("adamw", true) => LikeKeras.AdamW(p),
            ("adamw", false) => LikeKeras.AdamW(p, weightDecay: decay),
            ("rmsprop", true) => LikeKeras.RmsProp(p),
            ("rmsprop", false) => LikeKeras.RmsProp(p, rho: a.Number("rho", 0.9), momentum: a.Number("momentum", 0), epsilon: epsilon, centered: a.Flag("centered", false), weightDecay: decay),
            ("adagrad", true) => LikeKeras.Adagrad(p),
            ("adagrad", false) => LikeKeras.Adagrad(p, initialAccumulator: a.Number("initial_accumulator_value"), epsilon: epsilon, weightDecay: decay),
            ("adadelta", true) => LikeKeras.Adadelta(p),
            ("adadelta", false) => LikeKeras.Adadelta(p, rho: a.Number("rho"), epsilon: epsilon, weightDecay: decay),
            ("adamax", true) => LikeKeras.Adamax(p),
            ("adamax", false) => LikeKeras.Adamax(p, epsilon: epsilon, weightDecay: decay),
            ("nadam", true) => LikeKeras.Nadam(p),
            ("nadam", false) => LikeKeras.Nadam(p, beta1: beta1, epsilon: epsilon, weightDecay: decay),
            _ => throw new ConformanceException($"the optimizer '{name}' is not known"),
        };
    }
}
