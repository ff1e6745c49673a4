using Minigrad.Backends;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Benchmarks;

/// <summary>Something a user does again and again, by the name that the peers' benchmark gives it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Prepare">Makes what is needed and gives what is to be timed.</param>
/// <param name="Work">Floating-point operations or numbers that a run handles, for a rate; 0 if it has no meaning.</param>
internal sealed record Workload(string Name, Func<Action> Prepare, double Work = 0)
{
    /// <summary>
    /// All workloads that have a peer, and some that have none: inference in three precisions, one that shows what faded
    /// gradients cost, two what an operation costs besides its work, and two what a history costs.
    /// </summary>
    public static IEnumerable<Workload> All()
    {
        yield return new("mlp_tiny", () => Mlp([2, 16, 16, 1], 100, p => new Sgd(p, 0.05), () => new Tanh()));
        yield return new("mlp_mnist", () => Mlp([784, 128, 10], 64, p => new Adam(p)));
        yield return new("mlp_wide", () => Mlp([784, 1024, 1024, 10], 128, p => new AdamW(p)));
        yield return new("rnn_char", () => Characters(new Rnn(64, 256), 65, 32, 64, p => new Sgd(p, 0.1), 0.25));
        yield return new("lstm_char", () => Characters(new Lstm(64, 256), 65, 32, 64, p => new Adam(p), 1));
        yield return new("gru_char", () => Characters(new Gru(64, 256), 65, 32, 64, p => new Adam(p), 1));
        foreach ((string size, int count, int length) in new[] { ("many_small", 1000, 1000), ("few_large", 10, 1_000_000) })
        {
            double work = (double)count * length;
            yield return new($"clip_{size}", () => ClipOnly(count, length), work);
            yield return new($"adam_{size}", () => AdamOnly(count, length, double.PositiveInfinity), work);
            yield return new($"clip_adam_{size}", () => AdamOnly(count, length, 1e-3), work);
        }

        foreach (int n in new[] { 64, 128, 256, 512, 1024, 2048 })
        {
            yield return new($"matmul_{n}", () => Product(n, n, n), 2.0 * n * n * n);
        }

        yield return new("add_1m", () => Pair(1_000_000, (a, b) => a + b), 1_000_000);
        yield return new("exp_1m", () => Pair(1_000_000, (a, _) => a.Exp()), 1_000_000);
        yield return new("tanh_1m", () => Pair(1_000_000, (a, _) => a.Tanh()), 1_000_000);
        yield return new("softmax_128x1000", Softmax, 128_000);
        yield return new("mlp_infer_b1", () => Inference([784, 128, 10], 1));
        foreach ((int rows, int size) in new[] { (1, 1024), (1, 2048), (1, 4096), (4, 4096), (8, 2048), (16, 1024) })
        {
            foreach (Precision precision in Enum.GetValues<Precision>())
            {
                string kind = precision == Precision.Full ? "" : $"_{precision.ToString().ToLowerInvariant()}";
                yield return new($"infer_b{rows}_{size}{kind}", () => Inference([size, size, size, size], rows, precision), 3.0 * size * size);
            }
        }

        yield return new("adam_faded", AdamFaded, 100_000);
        yield return new("add_4", () => Pair(4, (a, b) => a + b));
        yield return new("backward_4", FourOperations);
        yield return new("mlp_mnist_recorded", () => Mlp([784, 128, 10], 64, p => new Adam(p), history: new StepHistory()));
        yield return new("record_step", RecordStep);
    }

    /// <summary>One training step of a multi-layer perceptron.</summary>
    public static Action Mlp(int[] sizes, int batch, Func<IReadOnlyList<Tensor>, Optimizer> create, Func<Layer>? activation = null, StepHistory? history = null)
    {
        Sequential model = Perceptron(sizes, activation ?? (() => new Relu()));
        Tensor input = Tensor.Normal([batch, sizes[0]]);
        Tensor target = Tensor.Normal([batch, 1]);
        Indices labels = RandomTokens(sizes[^1], batch);
        Optimizer optimizer = create(model.Parameters);
        optimizer.Clip = [Clip.GlobalNorm(1)];
        return () =>
        {
            optimizer.ZeroGradients();
            Tensor output = model.Forward(input);
            Tensor loss = sizes[^1] > 1 ? Loss.CrossEntropy(output, labels) : Loss.MeanSquare(output, target);
            loss.Backward();
            StepReport report = optimizer.Step();
            history?.Add(report, loss);
        };
    }

    /// <summary>One training step of a character model.</summary>
    public static Action Characters(
        RecurrentLayer network, int vocabulary, int batch, int length, Func<IReadOnlyList<Tensor>, Optimizer> create, double threshold)
    {
        Embedding embedding = new(vocabulary, network.InputSize);
        Linear head = new(network.HiddenSize, vocabulary);
        Indices input = new(RandomTokens(vocabulary, batch * length), Shape.Create(batch, length));
        int[] labels = RandomTokens(vocabulary, batch * length);
        Optimizer optimizer = create([.. embedding.Parameters, .. network.Parameters, .. head.Parameters]);
        optimizer.Clip = [Clip.GlobalNorm(threshold)];
        return () =>
        {
            optimizer.ZeroGradients();
            Tensor output = head.Forward(network.Forward(embedding.Forward(input)));
            Loss.CrossEntropy(output.Reshape(-1, vocabulary), labels).Backward();
            optimizer.Step();
        };
    }

    /// <summary>One product of matrices.</summary>
    public static Action Product(int rows, int depth, int columns)
    {
        Tensor a = Tensor.Normal([rows, depth]), b = Tensor.Normal([depth, columns]);
        return () => a.MatMul(b);
    }

    /// <summary>A forward pass without gradients, in a scope of a precision if it is not float32, on the CPU or on a device.</summary>
    public static Action Inference(int[] sizes, int batch, Precision precision = Precision.Full, Backend? device = null)
    {
        Sequential model = Perceptron(sizes, () => new Relu());
        Tensor input = Tensor.Normal([batch, sizes[0]]);
        if (device is not null)
        {
            model.To(device);
            input = input.To(device);
        }

        return () =>
        {
            using NoGrad scope = new();
            if (precision == Precision.Full)
            {
                model.Forward(input);
                return;
            }

            using EmulatedPrecision emulated = new(precision);
            model.Forward(input);
        };
    }

    /// <summary>One step of Adam over gradients that are there.</summary>
    public static Action AdamOnly(int count, int length, double threshold)
    {
        Adam optimizer = new(ParametersWithGradients(count, length), 1e-8) { Clip = [Clip.GlobalNorm(threshold)] };
        return () => optimizer.Step();
    }

    /// <summary>One step of Adam over parameters whose gradients have been 0 for so long that what is remembered of them has faded.</summary>
    private static Action AdamFaded()
    {
        Tensor[] parameters = ParametersWithGradients(1, 100_000);
        Adam optimizer = new(parameters);
        optimizer.Step();
        parameters[0].Gradient = Tensor.Zeros(100_000);
        for (int step = 0; step < 1500; step++)
        {
            optimizer.Step();
        }

        return () => optimizer.Step();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal static Sequential Perceptron(int[] sizes, Func<Layer> activation)
    {
        List<Layer> layers = [new Linear(sizes[0], sizes[1])];
        for (int i = 2; i < sizes.Length; i++)
        {
            layers.Add(activation());
            layers.Add(new Linear(sizes[i - 1], sizes[i]));
        }

        return new Sequential([.. layers]);
    }

    private static Tensor[] ParametersWithGradients(int count, int length)
    {
        Tensor[] parameters = [.. Enumerable.Range(0, count).Select(_ => Tensor.Normal([length]).WithGradient())];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Normal([length]);
        }

        return parameters;
    }

    private static Action ClipOnly(int count, int length)
    {
        // Gradients that have been clipped to a threshold need no scaling by it, which the other side does all the same.
        Tensor[] parameters = ParametersWithGradients(count, length);
        double threshold = 1e-3;
        return () => Clip.GlobalNorm(threshold *= 0.9999).Apply(parameters);
    }

    private static Action Pair(int length, Func<Tensor, Tensor, Tensor> operation)
    {
        Tensor a = Tensor.Normal([length]), b = Tensor.Normal([length]);
        return () => operation(a, b);
    }

    /// <summary>What a history does with the step of <c>mlp_mnist</c>.</summary>
    private static Action RecordStep()
    {
        Sequential model = Perceptron([784, 128, 10], () => new Relu());
        Loss.CrossEntropy(model.Forward(Tensor.Normal([64, 784])), RandomTokens(10, 64)).Backward();
        StepReport report = new Adam(model.Parameters) { Clip = [Clip.GlobalNorm(1)] }.Step();
        Tensor loss = Tensor.Ones(1);
        StepHistory history = new();
        return () => history.Add(report, loss);
    }

    /// <summary>Four operations on four numbers, forward and backward.</summary>
    private static Action FourOperations()
    {
        Tensor x = Tensor.Ones(4).WithGradient();
        return () =>
        {
            x.Gradient = null;
            ((x * x) + x).Tanh().Sum().Backward();
        };
    }

    private static Action Softmax()
    {
        Tensor x = Tensor.Normal([128, 1000]);
        return () => x.Softmax(1);
    }

    internal static int[] RandomTokens(int limit, int count)
    {
        Generator generator = new(7);
        return [.. Enumerable.Range(0, count).Select(_ => generator.Next(limit))];
    }
}
