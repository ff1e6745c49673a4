using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;
using Xunit.Abstractions;

namespace Minigrad.Tests.Monitoring;

/// <summary>Sick networks, each of which the monitor must diagnose, and healthy ones, of which it must say nothing.</summary>
public sealed class GradientMonitorTests(ITestOutputHelper output)
{
    [Fact]
    public void An_exploding_recurrent_network_is_named_with_its_growth_along_the_sequence()
    {
        const int Steps = 40;
        Generator generator = new(1);
        Recalling model = new(new Rnn(2, 8, new RecurrentOptions { Generator = generator }, Activation.Relu), new Linear(8, 1, generator: generator));
        using (new NoGrad())
        {
            // Every step multiplies what is remembered, and the gradient on its way back, by 1.5.
            model.Network.Parameters[1].Assign(1.5f * Tensor.Eye(8));
        }

        GradientMonitor monitor = new(model) { WatchInterval = 1 };
        Sgd optimizer = new(model.Parameters, 1e-20);
        Train(15, optimizer, monitor, () => Loss.MeanSquare(
            model.Forward(Tensor.Uniform([16, Steps, 2], generator: generator)), Tensor.Zeros(16, 1)));
        IReadOnlyList<GradientFinding> findings = Show(monitor);

        GradientFinding first = findings[0];
        Assert.Equal((GradientFault.Exploding, "network"), (first.Fault, first.Layer));
        Assert.Equal(Math.Pow(1.5, Steps - 1), first.Ratio, 0.5 * Math.Pow(1.5, Steps - 1));
        Assert.Contains("layer 1 of 2 ('network', Rnn(2 → 8)) grows, 1.5-fold with each step", first.Message, StringComparison.Ordinal);
        Assert.Contains($"at step {Steps} of the sequence", first.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(findings, finding => finding.Layer != "network");
        Assert.Equal(Steps, Assert.Single(monitor.TimeSteps).Norms.Count);
        Assert.Contains("time step", monitor.ToTimeChart().ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_deep_network_of_sigmoids_is_named_by_its_first_layer_where_gradients_vanish()
    {
        Generator generator = new(2);
        List<Layer> layers = [];
        for (int i = 0; i < 8; i++)
        {
            layers.Add(new Linear(16, 16, generator: generator));
            layers.Add(new Sigmoid());
        }

        Sequential model = new([.. layers, new Linear(16, 1, generator: generator)]);
        GradientMonitor monitor = new(model);
        Train(60, new Sgd(model.Parameters, 0.01), monitor, () =>
        {
            Tensor input = Tensor.Normal([32, 16], generator: generator);
            return Loss.MeanSquare(model.Forward(input), input.Sum([1], keepDimensions: true));
        });

        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal((GradientFault.Vanishing, "0"), (finding.Fault, finding.Layer));
        Assert.StartsWith("Layer 1 of 9 ('0', Linear(16 → 16)) receives gradients ", finding.Message, StringComparison.Ordinal);
        Assert.Contains("times those of the last", finding.Message, StringComparison.Ordinal);
        Assert.Equal(finding.Ratio, monitor.Layers[0].RatioToLast);
        Assert.Equal(monitor.Layers[0].MedianNorm / monitor.Layers[8].MedianNorm, finding.Ratio, 1e-12);
    }

    [Fact]
    public void Dead_units_are_named_by_their_layer_and_numbers()
    {
        Generator generator = new(3);
        Linear sick = new(16, 12, generator: generator);
        Sequential model = new(new Linear(8, 16, generator: generator), new Relu(), sick, new Relu(), new Linear(12, 3, generator: generator));
        using (new NoGrad())
        {
            sick.Bias!.Assign([.. Enumerable.Range(0, 12).Select(unit => unit % 3 == 0 ? 0.5f : -50f)]);
        }

        GradientMonitor monitor = new(model) { WatchInterval = 2 };
        Tensor input = Tensor.Normal([32, 8], generator: generator);
        int[] labels = [.. Enumerable.Range(0, 32).Select(i => i % 3)];
        Sgd optimizer = new(model.Parameters, 0.01);
        Train(18, optimizer, monitor, () => Loss.CrossEntropy(model.Forward(input), labels));
        Assert.Empty(monitor.DeadUnits); // Nine watched passes are too few to be sure.
        Train(2, optimizer, monitor, () => Loss.CrossEntropy(model.Forward(input), labels));

        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal((GradientFault.DeadUnits, "3", 8.0 / 12), (finding.Fault, finding.Layer, finding.Ratio));
        Assert.Contains("8 of the 12 units of layer '3', Relu, after layer 2 of 3 ('2', Linear(16 → 12)), are dead", finding.Message, StringComparison.Ordinal);
        Assert.Contains("(1, 2, 4, 5, 7, 8, 10, 11)", finding.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4, 5, 7, 8, 10, 11], Assert.Single(monitor.DeadUnits).Units);
    }

    [Fact]
    public void A_gradient_that_explodes_during_training_is_held_against_its_running_median()
    {
        (Tensor first, Tensor second, GradientMonitor monitor, Sgd optimizer) = TwoLayers();
        for (int step = 1; step <= 40; step++)
        {
            first.Gradient = Tensor.Full(first.Shape.Dimensions, 1f);
            second.Gradient = Tensor.Full(second.Shape.Dimensions, step == 31 ? 500f : step == 33 ? 300f : 1f);
            monitor.Add(optimizer.Step());
        }

        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal((GradientFault.Exploding, "1"), (finding.Fault, finding.Layer));
        Assert.Equal(500, finding.Ratio, 1e-3);
        Assert.Contains("layer 2 of 2 ('1', Linear(2 → 1)) exploded at step 31", finding.Message, StringComparison.Ordinal);
        Assert.Contains("500 times its running median", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_explosion_in_the_first_steps_is_seen_too()
    {
        (Tensor first, Tensor second, GradientMonitor monitor, Sgd optimizer) = TwoLayers();
        foreach (float norm in new[] { 1f, 2e4f, 1f })
        {
            first.Gradient = Tensor.Full(first.Shape.Dimensions, norm);
            second.Gradient = Tensor.Full(second.Shape.Dimensions, norm == 1 ? 1f : 500f);
            monitor.Add(optimizer.Step());
        }

        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal((GradientFault.Exploding, "0"), (finding.Fault, finding.Layer));
        Assert.Contains("exploded at step 2", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_layer_that_the_backward_pass_finds_not_finite_is_named()
    {
        (Tensor first, Tensor second, GradientMonitor monitor, Sgd optimizer) = TwoLayers();
        optimizer.NonFinite = NonFinitePolicy.SkipStep;
        first.Gradient = Tensor.Full(first.Shape.Dimensions, float.NaN);
        second.Gradient = Tensor.Full(second.Shape.Dimensions, float.PositiveInfinity);
        monitor.Add(optimizer.Step());

        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal((GradientFault.NotFinite, "1"), (finding.Fault, finding.Layer));
        Assert.Contains("step 1", finding.Message, StringComparison.Ordinal);
        Assert.Contains("and those of 1 more", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_overflow_of_a_dynamic_scale_is_no_finding_as_long_as_there_is_a_lower_scale()
    {
        Sequential model = new(new Linear(2, 2, hasBias: false, generator: new Generator(1)), new Linear(2, 1, hasBias: false, generator: new Generator(2)));
        GradientMonitor monitor = new(model);
        Sgd optimizer = new(model.Parameters, 1e-6) { LossScaling = LossScaling.Dynamic(initial: 4) };
        void Step(float factor)
        {
            optimizer.ZeroGradients();
            optimizer.Scale(factor * model.Forward(Tensor.Ones(1, 2)).Sum()).Backward();
            monitor.Add(optimizer.Step());
        }

        Step(1e38f);
        Assert.Equal((1, 2.0), (optimizer.SkippedSteps, optimizer.LossScale));
        for (int step = 0; step < 20; step++)
        {
            Step(1f);
        }

        Assert.Empty(Show(monitor));

        // A gradient that overflows by itself is found once the scale cannot be what makes it.
        Step(float.PositiveInfinity);
        Assert.Empty(Show(monitor));
        Step(float.PositiveInfinity);
        Assert.Equal(GradientFault.NotFinite, Assert.Single(Show(monitor)).Fault);
    }

    [Fact]
    public void A_layer_without_any_gradient_and_a_step_too_large_for_the_weights_are_named()
    {
        (Tensor first, Tensor second, GradientMonitor monitor, Sgd optimizer) = TwoLayers();
        for (int step = 1; step <= 50; step++)
        {
            first.Gradient = Tensor.Zeros(first.Shape.Dimensions);
            second.Gradient = (int.IsOddInteger(step) ? -0.5f : 1f / 3) * second.Detach(); // Half as large again, and back.
            optimizer.LearningRate = 1;
            monitor.Add(optimizer.Step());
        }

        IReadOnlyList<GradientFinding> findings = Show(monitor);
        Assert.Equal([(GradientFault.Vanishing, "0"), (GradientFault.LargeUpdate, "1")], findings.Select(finding => (finding.Fault, finding.Layer)));
        Assert.Contains("receives no gradient at all", findings[0].Message, StringComparison.Ordinal);
        Assert.Equal(0.5, findings[1].Ratio, 1e-3);
        Assert.Contains("by 50 % of themselves", findings[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Healthy_networks_are_passed_over_in_silence()
    {
        Generator generator = new(4);
        (LabeledData train, _) = Digits.Load();
        Sequential perceptron = new(
            new Linear(64, 48, generator: generator), new Relu(), new Dropout(0.2f, generator.For("dropout")), new Linear(48, 32, generator: generator), new Relu(), new Linear(32, 10, generator: generator));
        GradientMonitor monitor = new(perceptron) { WatchInterval = 2 };
        Loader<LabeledData> loader = new(train, 64, generator);
        Adam optimizer = new(perceptron.Parameters);
        foreach (LabeledData batch in loader.Concat(loader).Concat(loader))
        {
            Train(1, optimizer, monitor, () => Loss.CrossEntropy(perceptron.Forward(batch.Features), batch.Labels));
        }

        Assert.Empty(Show(monitor));

        Recalling recurrent = new(new Gru(1, 16, new RecurrentOptions { Generator = generator }), new Linear(16, 1, generator: generator));
        GradientMonitor second = new(recurrent) { WatchInterval = 1 };
        Train(150, new Adam(recurrent.Parameters, 5e-3) { Clip = [Clip.GlobalNorm(1)] }, second, () =>
        {
            Tensor input = Tensor.Uniform([16, 12, 1], generator: generator);
            return Loss.MeanSquare(recurrent.Forward(input), input.Mean([1]));
        });
        Assert.Empty(Show(second));
        Assert.EndsWith("Nothing conspicuous.", second.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_forgetful_sequence_is_named_with_the_direction()
    {
        Generator generator = new(5);
        Lstm network = new(1, 6, new RecurrentOptions { IsBidirectional = true, Generator = generator });
        GradientMonitor monitor = new(network) { WatchInterval = 1 };
        Tensor input = Tensor.Uniform([4, 60, 1], generator: generator);

        // Only what the forward direction ends with is asked for, and what the backward direction begins with.
        Train(3, new Sgd(network.Parameters, 1e-3), monitor, () => network.Forward(input)[.., ^1].Square().Sum());
        GradientFinding finding = Assert.Single(Show(monitor));
        Assert.Equal(GradientFault.Vanishing, finding.Fault);
        Assert.Contains("shrinks", finding.Message, StringComparison.Ordinal);
        Assert.Equal(["Lstm(1 → 6, bidirectional)", "Lstm(1 → 6, bidirectional), backward"], monitor.TimeSteps.Select(time => time.Layer));
        Assert.All(monitor.TimeSteps[1].Norms.Skip(1), norm => Assert.Equal(0, norm));
    }

    [Fact]
    public void Gradients_along_a_sequence_are_those_of_the_steps_themselves()
    {
        Generator generator = new(6);
        Rnn network = new(2, 3, new RecurrentOptions { Generator = generator });
        Tensor input = Tensor.Normal([4, 5, 2], generator: generator);
        GradientMonitor monitor = new(network) { WatchInterval = 1 };
        using (monitor.Watch())
        {
            network.Forward(input)[.., ^1].Square().Sum().Backward();
        }

        IReadOnlyList<double> norms = Assert.Single(monitor.TimeSteps).Norms;
        Tensor[] states;
        using (new NoGrad())
        {
            states = [.. Enumerable.Range(0, 5).Select(step => network.Forward(input)[.., step])];
        }

        // By hand, from the last step back: a' = f'(a) · (∂L/∂h + a'(next) · U).
        Tensor recurrent = network.Parameters[1].Detach();
        Tensor flow = 2f * states[4];
        for (int step = 4; step >= 0; step--)
        {
            Tensor gate = flow * (1f - states[step].Square());
            Assert.Equal(gate.Square().Sum().Item() / 4, norms[step] * norms[step], 1e-6);
            flow = gate.MatMul(recurrent);
        }
    }

    [Fact]
    public void A_monitor_needs_parameters_and_a_window()
    {
        Assert.Contains("no model with parameters", Assert.Throws<ArgumentException>(() => new GradientMonitor(new Relu())).Message, StringComparison.Ordinal);
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => new GradientMonitor(5, new Linear(1, 1))).Message;
        Assert.Contains("window must be a finite number from 10 to 1000000: a median of fewer steps says little, and each layer keeps all of them; it is 5.", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientMonitor(int.MaxValue, new Linear(1, 1)));
    }

    [Fact]
    public void A_setting_with_which_nothing_or_everything_would_be_found_is_refused()
    {
        Linear layer = new(1, 1);
        (string Name, double[] Refused, Func<double, GradientMonitor> Make)[] settings =
        [
            (nameof(GradientMonitor.SpikeRatio), [double.NaN, double.PositiveInfinity, -100, 0, 1], value => new(layer) { SpikeRatio = value }),
            (nameof(GradientMonitor.ExplodingRatio), [double.NaN, double.PositiveInfinity, -1e4, 0, 1], value => new(layer) { ExplodingRatio = value }),
            (nameof(GradientMonitor.VanishingRatio), [double.NaN, double.NegativeInfinity, -1e-4, 0, 1, 1e4], value => new(layer) { VanishingRatio = value }),
            (nameof(GradientMonitor.LargeUpdateRatio), [double.NaN, double.PositiveInfinity, -0.2, 0], value => new(layer) { LargeUpdateRatio = value }),
            (nameof(GradientMonitor.DeadShare), [double.NaN, double.PositiveInfinity, -0.1, 1.1], value => new(layer) { DeadShare = value }),
            (nameof(GradientMonitor.DeadPasses), [0, -1], value => new(layer) { DeadPasses = (int)value }),
            (nameof(GradientMonitor.WatchInterval), [0, -1], value => new(layer) { WatchInterval = (int)value }),
        ];
        foreach ((string name, double[] refused, Func<double, GradientMonitor> make) in settings)
        {
            foreach (double value in refused)
            {
                ArgumentOutOfRangeException exception = Assert.Throws<ArgumentOutOfRangeException>(() => make(value));
                Assert.Equal(name, exception.ParamName);
                Assert.StartsWith($"GradientMonitor: {name} must be a finite number", exception.Message, StringComparison.Ordinal);
                Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it is {value:g}."), exception.Message, StringComparison.Ordinal);
            }
        }

        GradientMonitor monitor = new(layer) { SpikeRatio = 1.5, ExplodingRatio = 2, VanishingRatio = 0.5, LargeUpdateRatio = 1e-9, DeadShare = 0, DeadPasses = 1, WatchInterval = 1 };
        Assert.Equal((1.5, 2, 0.5, 1e-9, 0, 1), (monitor.SpikeRatio, monitor.ExplodingRatio, monitor.VanishingRatio, monitor.LargeUpdateRatio, monitor.DeadShare, monitor.DeadPasses));
        Assert.Equal(1, new GradientMonitor(layer) { DeadShare = 1 }.DeadShare);
        Assert.Contains("NormInterval is every how many steps", Assert.Throws<ArgumentOutOfRangeException>(() => new StepHistory { NormInterval = 0 }).Message, StringComparison.Ordinal);
    }

    private static (Tensor First, Tensor Second, GradientMonitor Monitor, Sgd Optimizer) TwoLayers()
    {
        Sequential model = new(new Linear(2, 2, hasBias: false, generator: new Generator(1)), new Linear(2, 1, hasBias: false, generator: new Generator(2)));
        return (model.Parameters[0], model.Parameters[1], new GradientMonitor(model), new Sgd(model.Parameters, 1e-6));
    }

    private static void Train(int steps, Optimizer optimizer, GradientMonitor monitor, Func<Tensor> loss)
    {
        for (int step = 0; step < steps; step++)
        {
            optimizer.ZeroGradients();
            using (monitor.Watch())
            {
                loss().Backward();
            }

            monitor.Add(optimizer.Step());
        }
    }

    private IReadOnlyList<GradientFinding> Show(GradientMonitor monitor)
    {
        output.WriteLine(monitor.ToString());
        return monitor.Findings();
    }

    /// <summary>A recurrent network of which the last hidden value is read.</summary>
    private sealed class Recalling : Layer
    {
        public Recalling(RecurrentLayer network, Linear head)
        {
            Network = Child("network", network);
            Head = Child("head", head);
        }

        public RecurrentLayer Network { get; }

        public Linear Head { get; }

        protected override Tensor Compute(Tensor input) => Head.Forward(Network.Forward(input)[.., ^1]);
    }
}
