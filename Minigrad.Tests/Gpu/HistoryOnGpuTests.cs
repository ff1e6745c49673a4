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

        // The optimizer looks after its 64th step, and the history reads with it: the norms of all steps by one copy, and the losses by another.
        GpuCounters start = Gpu.Counters;
        step();
        GpuCounters read = Gpu.Counters - start;
        Assert.InRange(read.Downloads, 1, 10);
        start = Gpu.Counters;
        Assert.Equal(64, history.Rows.Count);
        Assert.Equal(0, (Gpu.Counters - start).Downloads);
        Assert.Equal(64, optimizer.StepCount);
        Assert.Equal(Enumerable.Range(1, 64), history.Rows.Select(row => row.Step));
    }

    [Theory]
    [InlineData(64, 128)]
    [InlineData(10, 130)]
    public void A_monitor_reads_the_norms_of_all_steps_by_one_copy_each_time_the_optimizer_looks(int checkInterval, int steps)
    {
        Sequential model = Model();
        GradientMonitor monitor = new(model) { WatchInterval = 1000 };
        Action step = Training(model, history: null, monitor, out Optimizer optimizer);
        optimizer.CheckInterval = checkInterval;
        long[] copies = [.. Enumerable.Range(1, steps).Select(_ =>
        {
            GpuCounters before = Gpu.Counters;
            step();
            return (Gpu.Counters - before).Downloads;
        })];

        // In the first pass the monitor looks at outputs, and after the second step at weights. The records are one copy, the norms another.
        Assert.All(copies.Index().Skip(2), copy => Assert.Equal((copy.Index + 1) % checkInterval == 0 ? 2 : 0, copy.Item));

        // Read step by step, and so each with a copy of its own, the same is found.
        Sequential other = Model();
        GradientMonitor oneByOne = new(other) { WatchInterval = 1000 };
        step = Training(other, history: null, oneByOne, out optimizer);
        optimizer.CheckInterval = 1;
        for (int i = 0; i < steps; i++)
        {
            step();
        }

        Assert.Equal(oneByOne.Layers, monitor.Layers);
        Assert.Equal(oneByOne.Findings(), monitor.Findings());
    }

    [Fact]
    public void Findings_are_those_of_the_CPU_in_the_same_order()
    {
        IReadOnlyList<GradientFinding> Find(bool onDevice)
        {
            Sequential model = Model();
            Tensor[] parameters = [.. model.Parameters];
            if (onDevice)
            {
                model.To(Gpu);
            }

            Sgd optimizer = new(model.Parameters, 1e-9) { NonFinite = NonFinitePolicy.SkipStep };
            GradientMonitor monitor = new(model) { WatchInterval = 1000 };
            for (int step = 0; step < 80; step++)
            {
                foreach (Tensor parameter in parameters)
                {
                    float value = step switch { 30 => 1e3f, 50 => 1e5f, 70 => float.NaN, _ => 1f };
                    parameter.Gradient = Tensor.Full([.. parameter.Shape], value).To(parameter.Backend);
                }

                monitor.Add(optimizer.Step());
            }

            return monitor.Findings();
        }

        IReadOnlyList<GradientFinding> expected = Find(onDevice: false);
        Assert.Equal([GradientFault.NotFinite, GradientFault.Exploding], expected.Select(finding => finding.Fault));
        Assert.Equal(expected.Select(finding => finding.Message), Find(onDevice: true).Select(finding => finding.Message));
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

    private Action Training(Sequential model, StepHistory? history, GradientMonitor? monitor, out Optimizer optimizer, bool onDevice = true)
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
            history?.Add(report, loss);
            monitor?.Add(report);
        };
    }
}
