using Minigrad.Gpu;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Tests.Gpu;

/// <summary>A history and a monitor of steps on a device: what they tell, and that no step waits for them.</summary>
public sealed class HistoryOnGpuTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private GpuBackend Gpu => fixture.Backend;

    [Fact]
    public void No_step_waits_and_reports_are_read_together()
    {
        StepHistory history = new();
        Action step = Training(Model(), history, monitor: null, out Optimizer optimizer);
        step();
        step();
        for (int i = 2; i < 63; i++)
        {
            GpuCounters before = Gpu.Counters;
            step();
            GpuCounters sent = Gpu.Counters - before;
            Assert.Equal((0, 0), (sent.Downloads, sent.Synchronizations));
        }

        // The optimizer looks after its 64th step, and the history reads with it: the norms of seven steps, and the losses at once.
        GpuCounters start = Gpu.Counters;
        step();
        GpuCounters read = Gpu.Counters - start;
        Assert.InRange(read.Downloads, 1, 16);
        start = Gpu.Counters;
        Assert.Equal(64, history.Rows.Count);
        Assert.Equal(0, (Gpu.Counters - start).Downloads);
        Assert.Equal(64, optimizer.StepCount);
        Assert.Equal(Enumerable.Range(1, 64), history.Rows.Select(row => row.Step));
    }

    [Fact]
    public void Rows_and_findings_are_those_of_the_CPU()
    {
        StepHistory onDevice = new() { NormInterval = 3 };
        StepHistory onHost = new() { NormInterval = 3 };
        Sequential model = Model();
        GradientMonitor monitor = new(model) { WatchInterval = 1 };
        Action device = Training(model, onDevice, monitor, out _);
        Action host = Training(Model(), onHost, monitor: null, out _, onDevice: false);
        for (int i = 0; i < 150; i++)
        {
            device();
            host();
        }

        Assert.Equal(150, onDevice.Rows.Count);
        Assert.Equal(onHost.Rows.Select(row => row.Step), onDevice.Rows.Select(row => row.Step));
        foreach ((StepRow expected, StepRow actual) in onHost.Rows.Zip(onDevice.Rows))
        {
            Assert.Equal(expected.Norm, actual.Norm, 1e-4 * expected.Norm);
            Assert.Equal(expected.Coefficient, actual.Coefficient, 1e-4);
            Assert.Equal(expected.Loss!.Value, actual.Loss!.Value, 1e-4);
        }

        Assert.Equal(onHost.ParameterNames, onDevice.ParameterNames);
        foreach ((ParameterNormRow expected, ParameterNormRow actual) in onHost.ParameterNorms.Zip(onDevice.ParameterNorms))
        {
            Assert.Equal(expected.Step, actual.Step);
            Assert.All(expected.Norms.Zip(actual.Norms), pair => Assert.Equal(pair.First!.Value, pair.Second!.Value, 1e-4 * (1 + pair.First.Value)));
        }

        Assert.Empty(monitor.Findings());
        Assert.All(monitor.Layers, layer => Assert.True(layer is { Norm: > 0, MedianNorm: > 0, UpdateRatio: > 0 }));
    }

    [Fact]
    public void A_step_that_an_earlier_one_stops_is_recorded_as_skipped()
    {
        Tensor w = Tensor.Zeros(1).To(Gpu).WithGradient("w");
        Sgd optimizer = new([w], 0.1) { NonFinite = NonFinitePolicy.SkipStep };
        StepHistory history = new();
        foreach (float gradient in new[] { 1f, float.NaN, 2f })
        {
            w.Gradient = Tensor.Of([gradient]).To(Gpu);
            history.Add(optimizer.Step());
        }

        Assert.Equal([false, true, false], history.Rows.Select(row => row.WasSkipped));
        Assert.Equal([1, 2, 2], history.Rows.Select(row => row.Step));
        Assert.Equal(1, history.SkippedSteps);
    }

    private static Sequential Model()
    {
        Generator generator = new(1);
        return new(new Linear(7, 5, generator: generator), new Tanh(), new Linear(5, 3, generator: generator));
    }

    private Action Training(Sequential model, StepHistory history, GradientMonitor? monitor, out Optimizer optimizer, bool onDevice = true)
    {
        Tensor input = Tensor.Normal([4, 7], generator: new Generator(2));
        if (onDevice)
        {
            model.To(Gpu);
            input = input.To(Gpu);
        }

        Sgd sgd = new(model.Parameters, 0.05) { Clip = [Clip.GlobalNorm(0.5)] };
        optimizer = sgd;
        return () =>
        {
            sgd.ZeroGradients();
            Tensor loss;
            using (monitor?.Watch())
            {
                loss = Loss.CrossEntropy(model.Forward(input), (int[])[0, 2, 1, 1]);
                loss.Backward();
            }

            StepReport report = sgd.Step();
            history.Add(report, loss);
            monitor?.Add(report);
        };
    }
}
