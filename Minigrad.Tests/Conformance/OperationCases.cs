namespace Minigrad.Tests.Conformance;

/// <summary>Replays the kinds <c>op</c> and <c>second_order</c>.</summary>
internal static class OperationCases
{
    private static readonly Dictionary<string, Func<Tensor[], Attributes, Tensor>> Operations = new()
    {
        ["neg"] = (x, _) => -x[0],
        ["abs"] = (x, _) => x[0].Abs(),
        ["exp"] = (x, _) => x[0].Exp(),
        ["log"] = (x, _) => x[0].Log(),
        ["log1p"] = (x, _) => x[0].Log1P(),
        ["sqrt"] = (x, _) => x[0].Sqrt(),
        ["rsqrt"] = (x, _) => x[0].Rsqrt(),
        ["reciprocal"] = (x, _) => x[0].Reciprocal(),
        ["square"] = (x, _) => x[0].Square(),
        ["sin"] = (x, _) => x[0].Sin(),
        ["cos"] = (x, _) => x[0].Cos(),
        ["tanh"] = (x, _) => x[0].Tanh(),
        ["sigmoid"] = (x, _) => x[0].Sigmoid(),
        ["relu"] = (x, _) => x[0].Relu(),
        ["silu"] = (x, _) => x[0].Silu(),
        ["leaky_relu"] = (x, a) => x[0].LeakyRelu(a.Single("negative_slope", 0.01)),
        ["elu"] = (x, a) => x[0].Elu(a.Single("alpha", 1)),
        ["gelu"] = (x, a) => x[0].Gelu(approximate: a.Text("approximate", "none") == "tanh"),
        ["softplus"] = (x, a) => x[0].Softplus(a.Single("beta", 1), a.Single("threshold", 20)),
        ["clamp"] = (x, a) => x[0].Clamp(
            a.Single("min", double.NegativeInfinity), a.Single("max", double.PositiveInfinity)),
        ["pow_scalar"] = (x, a) => x[0].Pow((float)a.Number("exponent")),
        ["add"] = (x, _) => x[0] + x[1],
        ["sub"] = (x, _) => x[0] - x[1],
        ["mul"] = (x, _) => x[0] * x[1],
        ["div"] = (x, _) => x[0] / x[1],
        ["pow"] = (x, _) => x[0].Pow(x[1]),
        ["maximum"] = (x, _) => Tensor.Maximum(x[0], x[1]),
        ["minimum"] = (x, _) => Tensor.Minimum(x[0], x[1]),
        ["sum"] = (x, a) => x[0].Sum(a.Axes("dim"), a.Flag("keepdim", false)),
        ["mean"] = (x, a) => x[0].Mean(a.Axes("dim"), a.Flag("keepdim", false)),
        ["var"] = (x, a) => x[0].Variance(a.Axes("dim"), a.Flag("unbiased", true), a.Flag("keepdim", false)),
        ["norm"] = (x, a) => x[0].Norm(a.Axes("dim"), a.Single("p", 2), a.Flag("keepdim", false)),
        ["max"] = (x, a) => x[0].Max(a.Axes("dim")[0], a.Flag("keepdim", false)),
        ["min"] = (x, a) => x[0].Min(a.Axes("dim")[0], a.Flag("keepdim", false)),
        ["logsumexp"] = (x, a) => x[0].LogSumExp(a.Axes("dim"), a.Flag("keepdim", false)),
        ["softmax"] = (x, a) => x[0].Softmax(a.Integer("dim")),
        ["log_softmax"] = (x, a) => x[0].LogSoftmax(a.Integer("dim")),
        ["cumsum"] = (x, a) => x[0].CumulativeSum(a.Integer("dim")),
        ["matmul"] = (x, _) => x[0].MatMul(x[1]),
        ["linear"] = (x, _) => x[0].Linear(x[1], x.Length > 2 ? x[2] : null),
        ["reshape"] = (x, a) => x[0].Reshape(a.Integers("shape")),
        ["expand"] = (x, a) => x[0].Expand(a.Integers("shape")),
        ["transpose"] = (x, a) => x[0].Transpose(a.Integer("dim0"), a.Integer("dim1")),
        ["permute"] = (x, a) => x[0].Permute(a.Integers("dims")),

        // PyTorch flips no dimension where none is named; Minigrad all.
        ["flip"] = (x, a) => a.Integers("dims") is { Length: > 0 } dims ? x[0].Flip(dims) : x[0],
        ["squeeze"] = (x, a) => x[0].Squeeze(a.Has("dim") ? a.Integer("dim") : null),
        ["unsqueeze"] = (x, a) => x[0].Unsqueeze(a.Integer("dim")),
        ["concat"] = (x, a) => Tensor.Concatenate(x, a.Integer("dim", 0)),
        ["stack"] = (x, a) => Tensor.Stack(x, a.Integer("dim", 0)),
        ["slice"] = (x, a) => x[0].Slice(
            a.Integer("dim"), a.Integer("start", 0), a.Has("stop") ? a.Integer("stop") : null, a.Integer("step", 1)),
        ["select"] = (x, a) => x[0].Select(a.Integer("dim"), a.Integer("index")),
        ["index_select"] = (x, a) => x[0].IndexSelect(a.Integer("dim"), a.Integers("index")),
        ["gather"] = (x, a) => x[0].Gather(a.Integer("dim"), a.Tensor("index").ToIndices()),
        ["embedding"] = (x, a) => x[0].Embedding(a.Tensor("index").ToIndices()),
        ["where"] = (x, a) => Tensor.Where(Condition(a, x[0]), x[0], x[1]),
        ["tril"] = (x, a) => x[0].Tril(a.Integer("diagonal", 0)),
        ["triu"] = (x, a) => x[0].Triu(a.Integer("diagonal", 0)),
        ["layer_norm"] = (x, a) => x[0].LayerNorm(x[1], x[2], a.Single("eps", 1e-5)),
        ["batch_norm"] = BatchNorm,
    };

    /// <summary>Checks an operation's output and gradients.</summary>
    public static void RunFirstOrder(ConformanceCase item)
    {
        TensorData?[] grads = item.Tensors("grads", item.Tensors("inputs").Length);
        Tensor[] inputs = Inputs(item, index => grads[index] is not null);
        Tensor output = Apply(item, inputs);
        TensorData expected = item.Tensor("output")!;
        TensorData gradient = item.Tensor("grad_output")!;
        double floor = Comparison.Floor([expected, gradient]);
        item.Check("the output", expected, output, floor);
        if (grads.All(grad => grad is null))
        {
            return;
        }

        output.Backward(gradient.ToTensor(item.Backend));
        for (int i = 0; i < inputs.Length; i++)
        {
            if (grads[i] is { } grad)
            {
                item.Check($"the gradient of input {i}", grad, inputs[i].Gradient ?? Missing(i), floor);
            }
        }
    }

    /// <summary>Checks an operation's gradients, and the gradients of the sum of their squares.</summary>
    public static void RunSecondOrder(ConformanceCase item)
    {
        Tensor[] inputs = Inputs(item, _ => true);
        TensorData?[] grads = item.Tensors("grads", inputs.Length);
        TensorData?[] second = item.Tensors("second_grads", inputs.Length);
        bool squared = item.Attributes.Flag("squared", false);
        Tensor output = Apply(item, inputs);
        Tensor[] first = Tensor.Gradients((squared ? output.Square() : output).Sum(), inputs, createGraph: true);
        double floor = Comparison.Floor(grads);
        Tensor? penalty = null;
        for (int i = 0; i < inputs.Length; i++)
        {
            item.Check($"the gradient of input {i}", grads[i]!, first[i], floor);
            penalty = penalty is null ? first[i].Square().Sum() : penalty + first[i].Square().Sum();
        }

        Tensor[] found = penalty!.RequiresGradient
            ? Tensor.Gradients(penalty, inputs)
            : [.. inputs.Select(input => Tensor.Zeros(input.Shape))];
        for (int i = 0; i < inputs.Length; i++)
        {
            item.Check($"the second gradient of input {i}", second[i]!, found[i], floor);
        }
    }

    private static Tensor Apply(ConformanceCase item, Tensor[] inputs)
    {
        string name = item.Text("op");
        return Operations.TryGetValue(name, out Func<Tensor[], Attributes, Tensor>? operation)
            ? operation(inputs, item.Attributes)
            : throw new ConformanceException($"the op '{name}' is not known");
    }

    private static Tensor[] Inputs(ConformanceCase item, Func<int, bool> needsGradient)
    {
        TensorData?[] data = item.Tensors("inputs");
        Tensor[] inputs = new Tensor[data.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = data[i]!.ToTensor(item.Backend);
            inputs[i].RequiresGradient = needsGradient(i);
        }

        return inputs;
    }

    private static Tensor Condition(Attributes attributes, Tensor like)
    {
        TensorData data = attributes.Tensor("condition");
        return Tensor.Of(Array.ConvertAll(data.Values, value => (float)value), data.Shape).To(like.Backend);
    }

    private static Tensor BatchNorm(Tensor[] x, Attributes attributes) =>
        attributes.Flag("training", true)
            ? x[0].BatchNorm(x[1], x[2], attributes.Single("eps", 1e-5))
            : throw new ConformanceException("batch_norm with training = false needs running statistics, which an op case does not have");

    private static Tensor Missing(int input) =>
        throw new ConformanceException($"input {input} has no gradient");
}
