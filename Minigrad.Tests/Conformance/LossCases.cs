using Minigrad.Losses;

namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kind <c>loss</c>.</summary>
internal static class LossCases
{
    /// <summary>Checks a loss and the gradient of its input.</summary>
    public static void Run(ConformanceCase item)
    {
        Tensor input = item.Tensor("input")!.ToTensor(item.Backend).WithGradient();
        Tensor output = Apply(item, input, item.Tensor("target")!);
        TensorData expected = item.Tensor("output")!;
        TensorData gradient = item.Tensor("grad_output")!;
        double floor = Comparison.Floor([expected, gradient]);
        item.Check("the loss", expected, output, floor);
        output.Backward(gradient.ToTensor(item.Backend));
        item.Check("the gradient of the input", item.Tensor("grad_input")!, input.Gradient!, floor);
    }

    private static Tensor Apply(ConformanceCase item, Tensor input, TensorData target)
    {
        Attributes attributes = item.Attributes;
        Reduction reduction = ReductionOf(attributes.Text("reduction", "mean"));
        string name = item.Text("loss");
        return name switch
        {
            "mse" => Loss.MeanSquare(input, target.ToTensor(item.Backend), reduction),
            "l1" => Loss.MeanAbsolute(input, target.ToTensor(item.Backend), reduction),
            "huber" => Loss.Huber(input, target.ToTensor(item.Backend), attributes.Single("delta", 1), reduction),
            "smooth_l1" => Loss.SmoothAbsolute(input, target.ToTensor(item.Backend), attributes.Single("beta", 1), reduction),
            "bce" => Loss.BinaryCrossEntropy(input, target.ToTensor(item.Backend), reduction),
            "bce_with_logits" => Loss.BinaryCrossEntropyWithLogits(input, target.ToTensor(item.Backend), reduction),
            "kl_div" => Loss.KullbackLeibler(
                input, target.ToTensor(item.Backend), reduction, attributes.Flag("log_target", false)),
            "cross_entropy" when target.Kind != "int64" => OfProbabilities(item, input, target.ToTensor(item.Backend), reduction),
            "cross_entropy" => Loss.CrossEntropy(
                input,
                target.ToIndices(),
                Weight(item),
                attributes.Integer("ignore_index", -100),
                attributes.Single("label_smoothing", 0),
                reduction),
            "nll" => Loss.NegativeLogLikelihood(
                input, target.ToIndices(), Weight(item), attributes.Integer("ignore_index", -100), reduction),
            _ => throw new ConformanceException($"the loss '{name}' is not known"),
        };
    }

    /// <summary>Probabilities have no label to ignore: PyTorch refuses one that could be a class, and has no use for its default.</summary>
    private static Tensor OfProbabilities(ConformanceCase item, Tensor input, Tensor target, Reduction reduction) =>
        item.Attributes.Integer("ignore_index", -100) < 0
            ? Loss.CrossEntropy(input, target, reduction, Weight(item), item.Attributes.Single("label_smoothing", 0))
            : throw new ConformanceException("an ignore_index of probabilities is not known");

    private static Tensor? Weight(ConformanceCase item) => item.Attributes.Numbers("weight") is { } weight
        ? Tensor.Of(Array.ConvertAll(weight, value => (float)value)).To(item.Backend.Backend)
        : null;

    private static Reduction ReductionOf(string name) => name switch
    {
        "mean" => Reduction.Mean,
        "sum" => Reduction.Sum,
        "none" => Reduction.None,
        "batchmean" => Reduction.BatchMean,
        _ => throw new ConformanceException($"the reduction '{name}' is not known"),
    };
}
