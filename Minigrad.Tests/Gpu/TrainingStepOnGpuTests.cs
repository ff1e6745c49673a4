using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Tests.Gpu;

/// <summary>What a training step sends to the device: launches, the labels or tokens of the batch, and nothing else.</summary>
public sealed class TrainingStepOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private GpuBackend Gpu => fixture.Backend;

    [Fact]
    public void A_perceptron_sends_its_labels_once_and_waits_for_nothing()
    {
        Sequential model = new(new Linear(7, 5), new Relu(), new Linear(5, 3));
        model.To(Gpu);
        Tensor input = Tensor.Normal([4, 7]).To(Gpu);
        GpuCounters sent = Sent(() =>
        {
            model.ZeroGradients();
            Loss.CrossEntropy(model.Forward(input), (int[])[0, 2, 1, 1]).Backward();
        });
        Assert.Equal((1, 0, 0, 0), (sent.Uploads, sent.Downloads, sent.Synchronizations, sent.CompiledKernels));

        // Two products and an activation forward; the loss in three; back: its slope, the seed, and of each layer two
        // products, of which the first has one, the biases and the activation. A split of the depth adds a pass.
        Assert.InRange(sent.Launches, 10, 20);
    }

    [Fact]
    public void A_sequence_sends_tokens_and_labels_once_and_waits_for_nothing()
    {
        const int Steps = 40;
        Embedding embedding = new(9, 4);
        Lstm network = new(4, 5);
        Linear head = new(5, 9);
        embedding.To(Gpu);
        network.To(Gpu);
        head.To(Gpu);
        Indices tokens = new([.. Enumerable.Range(0, 3 * Steps).Select(i => i % 9)], Shape.Create(3, Steps));
        int[] labels = [.. Enumerable.Range(1, 3 * Steps).Select(i => i % 9)];
        GpuCounters sent = Sent(() =>
        {
            embedding.ZeroGradients();
            network.ZeroGradients();
            head.ZeroGradients();
            Tensor output = head.Forward(network.Forward(embedding.Forward(tokens)));
            Loss.CrossEntropy(output.Reshape(-1, 9), labels).Backward();
        });
        Assert.Equal((2, 0, 0, 0), (sent.Uploads, sent.Downloads, sent.Synchronizations, sent.CompiledKernels));

        // One for each step forward and back, and what does not depend on the steps.
        Assert.InRange(sent.Launches, 2 * Steps, (2 * Steps) + 45);
    }

    /// <summary>
    /// Of the optimizer: measure, decide, update. A stage after the first decides once more; one of another order measures
    /// anew, and of another order than 1 and ∞ also the largest magnitude before; one of units settles what is known, looks
    /// at the units, and combines them; one that reads what a bound has changed writes and measures first.
    /// </summary>
    [Theory]
    [InlineData(3, 3)]
    [InlineData(3, 3, "global")]
    [InlineData(3, 3, "value")]
    [InlineData(3, 4, "global", "value")]
    [InlineData(3, 4, "L1")]
    [InlineData(3, 6, "L3")]
    [InlineData(3, 5, "unit")]
    [InlineData(3, 6, "value", "global")]
    [InlineData(16, 3, "global")]
    [InlineData(17, 5, "global")]
    [InlineData(33, 7, "global")]
    public void An_optimizers_step_is_launches_alone(int parameterCount, int launches, params string[] stages)
    {
        Tensor[] parameters = [.. Enumerable.Range(0, parameterCount).Select(_ => Tensor.Normal([3, 2]).To(Gpu).WithGradient())];
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = Tensor.Normal([3, 2]).To(Gpu);
        }

        Adam optimizer = new(parameters) { Clip = [.. stages.Select(Stage)] };
        GpuCounters sent = Sent(() => optimizer.Step());
        Assert.Equal(new GpuCounters(launches, 0, 0, 0, 0), sent);
    }

    /// <summary>
    /// Forward, a product with its bias of each layer, and the activation between: 3. The loss with its sum and mean: 3.
    /// Backward, the seed and the loss's slope, of the second layer three (weight, bias, input), the activation, of the
    /// first two: 8. The optimizer: 3. A product whose depth is split takes one more, which here is none.
    /// </summary>
    [Fact]
    public void A_whole_step_of_a_perceptron_waits_for_nothing() =>
        Assert.Equal(new GpuCounters(17, 1, 0, 0, 0), Sent(PerceptronStep(out _)));

    /// <summary>Each step of the sequence is one launch forward and one back; the rest does not depend on how many there are.</summary>
    [Fact]
    public void A_whole_step_over_a_sequence_waits_for_nothing()
    {
        Assert.Equal(new GpuCounters(39 + (2 * 3), 2, 0, 0, 0), Sent(SequenceStep(steps: 3)));
        Assert.Equal(new GpuCounters(39 + (2 * 8), 2, 0, 0, 0), Sent(SequenceStep(steps: 8)));
    }

    [Fact]
    public void Two_runs_give_the_same_bits()
    {
        float[][] Train()
        {
            Action step = PerceptronStep(out Sequential model);
            for (int i = 0; i < 6; i++)
            {
                step();
            }

            return [.. model.Parameters.Select(parameter => parameter.ToArray())];
        }

        Assert.Equal(Train(), Train());
    }

    [Fact]
    public void Ten_thousand_steps_hold_the_devices_memory_constant()
    {
        // The CPU accelerator takes a second for some hundred launches, so there it is a share of the steps.
        int windows = Gpu.Device.Kind == GpuDeviceKind.CpuAccelerator ? 6 : 200;
        const int window = 50;
        const int smallestBuffer = 256;
        Action step = PerceptronStep(out _);

        // Buffers come back by a collection, which would happen whenever it likes.
        void RunWindow()
        {
            for (int i = 0; i < window; i++)
            {
                step();
            }

            GC.Collect();
        }

        RunWindow();
        RunWindow();
        long before = Gpu.PooledBytes;
        for (int i = 0; i < windows; i++)
        {
            RunWindow();
        }

        // Less than if every other step kept one buffer of the smallest size.
        Assert.InRange(Gpu.PooledBytes - before, 0, windows * window * smallestBuffer / 2);
    }

    [Fact]
    public void Labels_are_not_taken_for_those_of_the_batch_before()
    {
        Linear model = new(3, 2);
        model.To(Gpu);
        Tensor input = Tensor.Normal([2, 3]).To(Gpu);
        int[] labels = [0, 1];
        float first = Loss.CrossEntropy(model.Forward(input), labels).Item();
        (labels[0], labels[1]) = (1, 0);
        float second = Loss.CrossEntropy(model.Forward(input), labels).Item();
        Assert.NotEqual(first, second);
        Assert.Equal(Loss.CrossEntropy(model.Forward(input), (int[])[1, 0]).Item(), second);
    }

    [Fact]
    public void A_graph_that_is_kept_goes_back_twice()
    {
        Tensor table = Tensor.Normal([4, 3]).To(Gpu).WithGradient();
        Tensor loss = Loss.CrossEntropy(table.Embedding((int[])[1, 1, 3]), (int[])[0, 2, 1]);
        loss.Backward(retainGraph: true);
        float[] once = table.Gradient!.ToArray();
        loss.Backward();
        Assert.Equal(Array.ConvertAll(once, value => 2 * value), table.Gradient!.ToArray());
    }

    [Fact]
    public void Counters_count()
    {
        Tensor x = Tensor.Normal([5]).To(Gpu);
        x.Exp();
        GpuCounters before = Gpu.Counters;
        Assert.Equal(default, Gpu.Counters - before);
        x.Exp().ToArray();
        Gpu.Synchronize();
        Tensor.Normal([5]).To(Gpu);
        Assert.Equal(new GpuCounters(1, 1, 1, 2, 0), Gpu.Counters - before);
    }

    private static ClipStage Stage(string name) => name switch
    {
        "global" => Clip.GlobalNorm(1),
        "value" => Clip.Value(1),
        "unit" => Clip.UnitNorm(),
        "L1" => Clip.GlobalNorm(1, order: 1),
        _ => Clip.GlobalNorm(1, order: 3),
    };

    /// <summary>What <c>mlp_mnist</c> does, with small layers.</summary>
    private Action PerceptronStep(out Sequential model)
    {
        Generator generator = new(5);
        Sequential created = new(new Linear(7, 5, generator: generator), new Relu(), new Linear(5, 3, generator: generator));
        created.To(Gpu);
        model = created;
        Tensor input = Tensor.Normal([4, 7], generator: generator).To(Gpu);
        int[] labels = [0, 2, 1, 1];
        Adam optimizer = new(created.Parameters) { Clip = [Clip.GlobalNorm(1)] };
        return () =>
        {
            optimizer.ZeroGradients();
            Loss.CrossEntropy(created.Forward(input), labels).Backward();
            optimizer.Step();
        };
    }

    /// <summary>What <c>lstm_char</c> does, with a small network.</summary>
    private Action SequenceStep(int steps)
    {
        Embedding embedding = new(9, 4);
        Lstm network = new(4, 5);
        Linear head = new(5, 9);
        embedding.To(Gpu);
        network.To(Gpu);
        head.To(Gpu);
        Indices tokens = new([.. Enumerable.Range(0, 3 * steps).Select(i => i % 9)], Shape.Create(3, steps));
        int[] labels = [.. Enumerable.Range(1, 3 * steps).Select(i => i % 9)];
        Adam optimizer = new([.. embedding.Parameters, .. network.Parameters, .. head.Parameters]) { Clip = [Clip.GlobalNorm(1)] };
        return () =>
        {
            optimizer.ZeroGradients();
            Loss.CrossEntropy(head.Forward(network.Forward(embedding.Forward(tokens))).Reshape(-1, 9), labels).Backward();
            optimizer.Step();
        };
    }

    /// <summary>What a step sends when all its kernels are compiled.</summary>
    private GpuCounters Sent(Action step)
    {
        step();
        step();
        GpuCounters before = Gpu.Counters;
        step();
        return Gpu.Counters - before;
    }
}
