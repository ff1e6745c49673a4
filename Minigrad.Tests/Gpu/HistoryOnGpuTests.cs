using Minigrad.Backends;
using Minigrad.Backends.Cpu;
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

    /// <summary>The report of the step that throws is never added, and it is the one after which the others would be read.</summary>
    [Fact]
    public void A_history_goes_on_after_a_late_error_was_caught()
    {
        Tensor w = Tensor.Zeros(1).To(Gpu).WithGradient("w");
        Sgd optimizer = new([w], 0.001);
        StepHistory history = new();
        int errors = 0;
        for (int i = 1; i <= 80; i++)
        {
            try
            {
                history.Add(Step(optimizer, w, i == 10 ? float.NaN : i));
            }
            catch (NonFiniteGradientException)
            {
                errors++;
            }
        }

        Assert.Equal(1, errors);
        Assert.Equal(
            Enumerable.Range(1, 80).Where(i => i != 64).Select(i => i == 10 ? double.NaN : i), history.Rows.Select(row => row.Norm));
    }

    [Theory]
    [InlineData(10, 200)]
    [InlineData(7, 64)]
    [InlineData(63, 190)]
    [InlineData(100, 500)]
    public void Not_every_report_has_to_be_added(int interval, int steps)
    {
        Sequential model = new(new Linear(1, 1));
        model.To(Gpu);
        Tensor[] parameters = [.. model.Parameters];
        Sgd optimizer = new(parameters, 1e-6);
        StepHistory history = new() { NormInterval = 1 };
        GradientMonitor monitor = new(model) { WatchInterval = 1000 };
        for (int i = 1; i <= steps; i++)
        {
            Array.ForEach(parameters, parameter => parameter.Gradient = Tensor.Full([.. parameter.Shape], i).To(Gpu));
            StepReport report = optimizer.Step();
            if (i % interval == 0)
            {
                history.Add(report);
                monitor.Add(report);
            }
        }

        int[] added = [.. Enumerable.Range(1, steps).Where(i => i % interval == 0)];
        Assert.Equal(added, history.Rows.Select(row => row.Step));
        Assert.Equal(added.Select(i => (double?)i), history.ParameterNorms.Select(row => row.Norms[0]));
        Assert.Equal(added[^1] * Math.Sqrt(2), monitor.Layers[0].Norm, 1e-9 * steps);
    }

    [Fact]
    public void Reports_of_steps_before_a_state_was_restored_are_kept_and_those_after_it_too()
    {
        Tensor w = Tensor.Zeros(1).To(Gpu).WithGradient("w");
        Sgd optimizer = new([w], 0.001);
        StepHistory history = new() { NormInterval = 1 };
        for (int i = 1; i <= 200; i++)
        {
            history.Add(Step(optimizer, w, i));
            if (i == 101)
            {
                optimizer.Restore(optimizer.State());
            }
            else if (i == 151)
            {
                Assert.Equal(151, optimizer.StepCount);
            }
        }

        Assert.Equal(Enumerable.Range(1, 200).Select(i => (double)i), history.Rows.Select(row => row.Norm));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (double?)i), history.ParameterNorms.Select(row => row.Norms[0]));
    }

    [Fact]
    public void A_report_that_the_device_has_forgotten_says_so_and_the_history_goes_on()
    {
        Tensor w = Tensor.Zeros(1).To(Gpu).WithGradient("w");
        Sgd optimizer = new([w], 0.001);
        StepHistory history = new();
        StepReport first = Step(optimizer, w, 1);
        for (int i = 2; i <= 100; i++)
        {
            history.Add(Step(optimizer, w, i));
        }

        Assert.Contains(
            "keeps the last 64", Assert.Throws<InvalidOperationException>(() => history.Add(first)).Message, StringComparison.Ordinal);
        history.Add(Step(optimizer, w, 101));
        Assert.Equal(Enumerable.Range(2, 100), history.Rows.Select(row => row.Step));
        Assert.Equal([2, 12, 22], history.ParameterNorms.Take(3).Select(row => row.Step));
    }

    [Fact]
    public void Losses_of_a_model_that_moves_are_kept_in_order()
    {
        Linear model = new(2, 1, generator: new Generator(1));
        Sgd optimizer = new(model.Parameters, 0.01);
        StepHistory history = new();
        List<float> losses = [];
        foreach (Backend backend in (Backend[])[Gpu, Gpu, CpuBackend.Instance, Gpu, CpuBackend.Instance, CpuBackend.Instance, Gpu])
        {
            model.To(backend);
            optimizer.ZeroGradients();
            Tensor loss = model.Forward(Tensor.Ones(3, 2).To(backend)).Square().Mean();
            loss.Backward();
            history.Add(optimizer.Step(), loss);
            losses.Add(loss.Item());
        }

        Assert.Equal(losses.Select(loss => (double?)loss), history.Rows.Select(row => row.Loss));
        Assert.Equal(Enumerable.Range(1, losses.Count), history.Rows.Select(row => row.Step));
    }

    [Fact]
    public void Optimizers_on_two_devices_and_on_the_CPU_feed_one_history()
    {
        using GpuBackend other = GpuFixture.Open();
        StepHistory history = new();
        (Tensor Weight, Sgd Optimizer)[] runs = [.. ((Backend[])[Gpu, other, CpuBackend.Instance]).Select(backend =>
        {
            Tensor weight = Tensor.Of([2f]).To(backend).WithGradient("w");
            return (weight, new Sgd([weight], 0.1));
        })];
        int[] order = [0, 1, 0, 2, 1, 1, 0, 2, 0, 1];
        List<double?> losses = [];
        foreach (int run in order)
        {
            (Tensor weight, Sgd optimizer) = runs[run];
            optimizer.ZeroGradients();
            Tensor loss = weight.Square().Sum();
            loss.Backward();
            StepReport report = optimizer.Step();
            losses.Add(loss.Item());
            if (losses.Count == 3)
            {
                history.Add(report, losses[^1]!.Value);
            }
            else
            {
                history.Add(report, loss);
            }
        }

        Assert.Equal(losses, history.Rows.Select(row => row.Loss));
        Assert.Equal(order.Length, history.StepCount);
    }

    private static StepReport Step(Sgd optimizer, Tensor weight, float gradient)
    {
        weight.Gradient = Tensor.Of([gradient]).To(weight.Backend);
        return optimizer.Step();
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
