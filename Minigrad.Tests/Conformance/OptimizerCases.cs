using Minigrad.Optimizers;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>optimizer</c>.</summary>
internal static class OptimizerCases
{
    /// <summary>Checks all parameters after every step.</summary>
    public static void Run(ConformanceCase item)
    {
        Tensor[] parameters = [.. item.Tensors("params").Select(data => data!.ToTensor(item.Backend).WithGradient())];
        Optimizer optimizer = Create(item.Text("optimizer"), item.Attributes, parameters);
        TensorData[][] gradients = Steps(item, "grads");
        TensorData[][] expected = Steps(item, "expected");
        if (expected.Length != gradients.Length)
        {
            throw new ConformanceException($"there are gradients of {gradients.Length} steps, and parameters after {expected.Length}");
        }

        for (int step = 0; step < gradients.Length; step++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].Gradient = gradients[step][i].ToTensor(item.Backend);
            }

            optimizer.Step();
            for (int i = 0; i < parameters.Length; i++)
            {
                item.Check($"parameter {i} after step {step + 1}", expected[step][i], parameters[i]);
            }
        }
    }

    /// <summary>An optimizer by PyTorch's name and attributes.</summary>
    public static Optimizer Create(string name, Attributes a, IReadOnlyList<Tensor> parameters)
    {
        double[] betas = a.Numbers("betas") ?? [0.9, 0.999];
        double epsilon = a.Number("eps", name is "adagrad" ? 1e-10 : name is "adadelta" ? 1e-6 : 1e-8);
        double decay = a.Number("weight_decay", name is "adamw" ? 1e-2 : 0);
        double Rate(double otherwise) => a.Number("lr", otherwise);
        Optimizer optimizer = name switch
        {
            "sgd" => new Sgd(parameters, Rate(1e-3), a.Number("momentum", 0), a.Number("dampening", 0), decay, a.Flag("nesterov", false)),
            "adam" => new Adam(parameters, Rate(1e-3), betas[0], betas[1], epsilon, decay, a.Flag("amsgrad", false)),
            "adamw" => new AdamW(parameters, Rate(1e-3), betas[0], betas[1], epsilon, decay, a.Flag("amsgrad", false)),
            "rmsprop" => new RmsProp(parameters, Rate(1e-2), a.Number("alpha", 0.99), epsilon, decay, a.Number("momentum", 0), a.Flag("centered", false)),
            "adagrad" => new Adagrad(parameters, Rate(1e-2), a.Number("lr_decay", 0), decay, a.Number("initial_accumulator_value", 0), epsilon),
            "adadelta" => new Adadelta(parameters, Rate(1), a.Number("rho", 0.9), epsilon, decay),
            "adamax" => new Adamax(parameters, Rate(2e-3), betas[0], betas[1], epsilon, decay),
            "nadam" => new NAdam(parameters, Rate(2e-3), betas[0], betas[1], epsilon, decay, a.Number("momentum_decay", 4e-3)),
            "radam" => new RAdam(parameters, Rate(1e-3), betas[0], betas[1], epsilon, decay),
            _ => throw new ConformanceException($"the optimizer '{name}' is not known"),
        };
        optimizer.Maximize = a.Flag("maximize", false);
        return optimizer;
    }

    /// <summary>The tensors of each step.</summary>
    public static TensorData[][] Steps(ConformanceCase item, string field) =>
        [.. item.Field(field).EnumerateArray().Select(step => step.EnumerateArray().Select(data => TensorData.Read(data)!).ToArray())];
}
