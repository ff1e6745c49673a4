using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;

namespace Minigrad.Tests.Gpu;

/// <summary>What forward and backward send to the device: launches, the labels or tokens of the batch, and nothing else.</summary>
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
