using System.Diagnostics;
using System.Text.Json;
using Minigrad.Backends;
using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Operations;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Benchmarks;

/// <summary>
/// Prints a line of JSON for each workload on a GPU, in the form and with the names of the peers' benchmark
/// (<c>gpu_peer.py</c> measures PyTorch on the same). A sample is many runs and one wait for the device at its end, as in a
/// training loop that looks at its loss now and then; of the samples the median is told, with what a run sends to the device.
/// </summary>
internal static class GpuBenchmarks
{
    private const int Samples = 11;
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);

    /// <summary>Measures.</summary>
    /// <param name="options">A device as for <see cref="GpuDevice.Open(string)"/>, then parts of names to choose.</param>
    public static void Print(string[] options)
    {
        using GpuBackend gpu = options.Length > 0 ? GpuDevice.Open(options[0]) : GpuDevice.Open();
        string version = typeof(Tensor).Assembly.GetName().Version!.ToString();
        Write(new { peer = "Minigrad", version, device = gpu.Name, cublas = gpu.HasCuBlas });
        string[] parts = options.Length > 1 ? options[1..] : [string.Empty];
        foreach (Workload workload in All(gpu).Where(workload => parts.Any(part => workload.Name.Contains(part, StringComparison.Ordinal))))
        {
            Measure(gpu, workload);
        }

        Write(new { device_megabytes = gpu.PooledBytes >> 20 });
    }

    private static IEnumerable<Workload> All(GpuBackend gpu)
    {
        yield return new("launch_empty", () => Launch(gpu));
        foreach (int n in (int[])[256, 512, 1024, 2048, 4096])
        {
            foreach (Workload workload in Products(gpu, $"matmul_{n}", new MatrixProductShape(n, n, n)))
            {
                yield return workload;
            }
        }

        // What layers ask for: forward, back to the input, and the gradient of the weights.
        foreach ((int rows, int depth, int columns) in new[] { (64, 784, 128), (64, 128, 10), (784, 64, 128), (128, 784, 1024), (128, 1024, 1024), (1024, 128, 1024), (2048, 64, 1024), (1024, 2048, 256) })
        {
            foreach (Workload workload in Products(gpu, $"matmul_{rows}x{depth}x{columns}", new MatrixProductShape(rows, columns, depth)))
            {
                yield return workload;
            }
        }

        // In a scope of half precision also with float32 storage, for which cuBLAS is forced.
        foreach ((int rows, int size) in new[] { (1, 4096), (8, 4096), (1, 8192), (64, 4096), (1024, 1024), (4096, 4096) })
        {
            string name = $"infer_b{rows}_{size}";
            double work = 6.0 * rows * size * size;
            yield return new(name, () => Inference(gpu, rows, size, Precision.Full, MatrixProductEngine.Automatic), work);
            yield return new($"{name}_half", () => Inference(gpu, rows, size, Precision.Half, MatrixProductEngine.Automatic), work);
            yield return new($"{name}_bfloat16", () => Inference(gpu, rows, size, Precision.BFloat16, MatrixProductEngine.Automatic), work);
            if (gpu.HasCuBlas)
            {
                yield return new($"{name}_half_as_float32", () => Inference(gpu, rows, size, Precision.Half, MatrixProductEngine.CuBlas), work);
            }
        }

        // Gradients are read once for the norm; the update reads gradient, parameter and two moments and writes three.
        foreach ((string size, int length) in new[] { ("few_large", 1_000_000), ("few_huge", 10_000_000) })
        {
            yield return new($"clip_{size}", () => ClipOnly(gpu, length), 4.0 * 10 * length);
            yield return new($"clip_adam_{size}", () => ClipAndAdam(gpu, length), 32.0 * 10 * length);
        }

        yield return new("add_1m", () => Pair(gpu, [1_000_000], (a, b) => a + b), 12e6);
        yield return new("exp_1m", () => Pair(gpu, [1_000_000], (a, _) => a.Exp()), 8e6);
        yield return new("tanh_1m", () => Pair(gpu, [1_000_000], (a, _) => a.Tanh()), 8e6);
        yield return new("add_16m", () => Pair(gpu, [16_000_000], (a, b) => a + b), 192e6);
        yield return new("softmax_128x1000", () => Pair(gpu, [128, 1000], (a, _) => a.Softmax(1)), 1.024e6);
        yield return new("softmax_8192x1000", () => Pair(gpu, [8192, 1000], (a, _) => a.Softmax(1)), 65.536e6);
        yield return new("mlp_mnist", () => Mlp(gpu, [784, 128, 10], 64, parameters => new Adam(parameters)));
        yield return new("mlp_wide", () => Mlp(gpu, [784, 1024, 1024, 10], 128, parameters => new AdamW(parameters)));
        yield return new("lstm_char", () => Characters(gpu));
    }

    /// <summary>Prints the time of a run, its rate in billions a second (operations or bytes), and what it sends to the device.</summary>
    private static void Measure(GpuBackend gpu, Workload workload)
    {
        Action run = workload.Prepare();
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;)
        {
            Time(gpu, run, 5);
        }

        int inner = (int)Math.Clamp(Sample.TotalMicroseconds / Time(gpu, run, 5), 1, 20_000);
        GpuCounters before = gpu.Counters;
        double[] times = new double[Samples];
        for (int sample = 0; sample < Samples; sample++)
        {
            times[sample] = Time(gpu, run, inner);
        }

        GpuCounters sent = gpu.Counters - before;
        Array.Sort(times);
        double median = times[Samples / 2];
        double runs = (double)inner * Samples;
        Write(new
        {
            workload = workload.Name,
            microseconds = median,
            min = times[0],
            rate = workload.Work / median / 1e3,
            launches = sent.Launches / runs,
            uploads = sent.Uploads / runs,
            downloads = sent.Downloads / runs,
            synchronizations = (sent.Synchronizations - (2 * Samples)) / runs,
        });
    }

    /// <summary>Microseconds a run.</summary>
    private static double Time(GpuBackend gpu, Action run, int runs)
    {
        gpu.Synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++)
        {
            run();
        }

        gpu.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / runs;
    }

    private static Action Launch(GpuBackend gpu)
    {
        Storage one = gpu.Allocate(1);
        return () => gpu.Map(default(Square), one, one);
    }

    private static IEnumerable<Workload> Products(GpuBackend gpu, string name, MatrixProductShape shape)
    {
        double work = 2.0 * shape.Rows * shape.Columns * shape.Depth;
        yield return new($"{name}_own", () => Product(gpu, shape, MatrixProductEngine.Own), work);
        if (gpu.HasCuBlas)
        {
            yield return new($"{name}_cublas", () => Product(gpu, shape, MatrixProductEngine.CuBlas), work);
        }
    }

    private static Action Product(GpuBackend gpu, MatrixProductShape shape, MatrixProductEngine engine)
    {
        Storage a = Numbers(gpu, shape.Rows * shape.Depth), b = Numbers(gpu, shape.Depth * shape.Columns), c = gpu.Allocate(shape.Rows * shape.Columns);
        return By(gpu, engine, () => gpu.MatrixProduct(shape, a, b, c));
    }

    private static Action Inference(GpuBackend gpu, int rows, int size, Precision precision, MatrixProductEngine engine) =>
        By(gpu, engine, Workload.Inference([size, size, size, size], rows, precision, gpu));

    private static Action By(GpuBackend gpu, MatrixProductEngine engine, Action run) => () =>
    {
        gpu.ProductEngine = engine;
        run();
        gpu.ProductEngine = MatrixProductEngine.Automatic;
    };

    private static Storage Numbers(GpuBackend gpu, int length)
    {
        Storage numbers = gpu.Allocate(length);
        gpu.Fill(new NormalDistribution(0f, 1f), new Randomness(7, 0, 0), numbers);
        return numbers;
    }

    private static Tensor[] ParametersWithGradients(GpuBackend gpu, int length)
    {
        Tensor[] parameters = new Tensor[10];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = Tensor.Normal([length]).To(gpu).WithGradient();
            parameters[i].Gradient = Tensor.Normal([length]).To(gpu);
        }

        return parameters;
    }

    private static Action ClipOnly(GpuBackend gpu, int length)
    {
        Tensor[] parameters = ParametersWithGradients(gpu, length);
        ClipStage clip = Clip.GlobalNorm(1e9);
        return () => clip.Apply(parameters);
    }

    private static Action ClipAndAdam(GpuBackend gpu, int length)
    {
        Adam optimizer = new(ParametersWithGradients(gpu, length), 1e-8) { Clip = [Clip.GlobalNorm(1e-3)] };
        return () => optimizer.Step();
    }

    private static Action Pair(GpuBackend gpu, int[] shape, Func<Tensor, Tensor, Tensor> operation)
    {
        Tensor a = Tensor.Normal(shape).To(gpu), b = Tensor.Normal(shape).To(gpu);
        return () => operation(a, b);
    }

    private static Action Mlp(GpuBackend gpu, int[] sizes, int batch, Func<IReadOnlyList<Tensor>, Optimizer> create)
    {
        Sequential model = Workload.Perceptron(sizes, () => new Relu());
        model.To(gpu);
        Tensor input = Tensor.Normal([batch, sizes[0]]).To(gpu);
        Indices labels = Workload.RandomTokens(sizes[^1], batch);
        Optimizer optimizer = create(model.Parameters);
        optimizer.Clip = [Clip.GlobalNorm(1)];
        return () =>
        {
            optimizer.ZeroGradients();
            Loss.CrossEntropy(model.Forward(input), labels).Backward();
            optimizer.Step();
        };
    }

    private static Action Characters(GpuBackend gpu)
    {
        const int Vocabulary = 65;
        const int Batch = 32;
        const int Length = 64;
        Embedding embedding = new(Vocabulary, 64);
        Lstm network = new(64, 256);
        Linear head = new(256, Vocabulary);
        embedding.To(gpu);
        network.To(gpu);
        head.To(gpu);
        Indices input = new(Workload.RandomTokens(Vocabulary, Batch * Length), Shape.Create(Batch, Length));
        int[] labels = Workload.RandomTokens(Vocabulary, Batch * Length);
        Adam optimizer = new([.. embedding.Parameters, .. network.Parameters, .. head.Parameters]) { Clip = [Clip.GlobalNorm(1)] };
        return () =>
        {
            optimizer.ZeroGradients();
            Tensor output = head.Forward(network.Forward(embedding.Forward(input)));
            Loss.CrossEntropy(output.Reshape(-1, Vocabulary), labels).Backward();
            optimizer.Step();
        };
    }

    private static void Write(object line) => Console.WriteLine(JsonSerializer.Serialize(line));
}
