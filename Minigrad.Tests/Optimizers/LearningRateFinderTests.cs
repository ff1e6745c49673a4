using System.Text.Json;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>The range test of the learning rate: what it suggests, when it ends, and that it leaves no trace.</summary>
public sealed class LearningRateFinderTests
{
    [Theory]
    [InlineData(0.1f, 0f)]
    [InlineData(1f, 0f)]
    [InlineData(10f, 0f)]
    [InlineData(1000f, 0f)]
    [InlineData(1f, 5f)]
    [InlineData(1f, -10f)]
    public void On_a_parabola_the_suggestion_is_safe_and_not_timid(float curvature, float offset)
    {
        // Gradient descent on ½ · L · w² diverges from the rate 2 / L on. While the rate grows by q each step, the loss has
        // fallen to 1/e² when the rates so far add up to 1 / L, at the rate (1 − 1 / q) / L = 0.17 / L.
        Parabola model = new(curvature, offset);
        LearningRateCurve curve = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), model.Loss);
        double suggestion = Assert.NotNull(curve.Suggestion);
        Assert.InRange(suggestion * curvature, 0.05, 1);
    }

    [Theory]
    [InlineData(10, 100f)]
    [InlineData(20, 100f)]
    [InlineData(1000, 100f)]
    public void Any_number_of_steps_gives_a_rate_at_which_training_converges(int steps, float curvature)
    {
        Parabola model = new(curvature, 0);
        Sgd optimizer = new(model.Parameters, 1);
        LearningRateCurve curve = LearningRateFinder.Run(model, optimizer, model.Loss, steps: steps);
        optimizer.LearningRate = Assert.NotNull(curve.Suggestion);
        double start = model.Loss().Item();
        for (int step = 0; step < 3000; step++)
        {
            optimizer.ZeroGradients();
            model.Loss().Backward();
            optimizer.Step();
        }

        Assert.True(model.Loss().Item() < 0.1 * start, $"{optimizer.LearningRate}: from {start} to {model.Loss().Item()}");
    }

    [Fact]
    public void Rates_grow_evenly_and_the_run_ends_when_the_smoothed_loss_diverges()
    {
        Parabola model = new(100, 0);
        LearningRateCurve curve = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), model.Loss);
        double factor = Math.Pow(10 / 1e-7, 1 / 99.0);
        Assert.Equal(1e-7, curve.Points[0].Rate);
        for (int i = 1; i < curve.Points.Count; i++)
        {
            Assert.Equal(factor, curve.Points[i].Rate / curve.Points[i - 1].Rate, 1e-9);
        }

        double[] smoothed = [.. curve.Points.Select(point => point.Smoothed)];
        Assert.InRange(curve.Points[^1].Rate, 2.0 / 100, 1);
        Assert.True(smoothed[^1] > 4 * smoothed.Min());
        Assert.True(smoothed[^2] <= 4 * smoothed[..^1].Min());
    }

    [Fact]
    public void A_run_that_does_not_diverge_ends_with_the_last_rate()
    {
        Parabola model = new(1, 0);
        LearningRateCurve curve = LearningRateFinder.Run(
            model, new Sgd(model.Parameters, 1), model.Loss, minimum: 1e-6, maximum: 0.5, steps: 30);
        Assert.Equal(30, curve.Points.Count);
        Assert.Equal(0.5, curve.Points[^1].Rate, 1e-12);
    }

    [Fact]
    public void The_smoothed_loss_is_the_weighted_mean_of_the_losses_so_far()
    {
        Parabola model = new(1, 0);
        LearningRateCurve curve = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), model.Loss, steps: 50);
        for (int i = 0; i < curve.Points.Count; i++)
        {
            double[] weights = [.. Enumerable.Range(0, i + 1).Select(j => Math.Pow(0.8, i - j))];
            double mean = weights.Select((weight, j) => weight * curve.Points[j].Loss).Sum() / weights.Sum();
            Assert.Equal(mean, curve.Points[i].Smoothed, 1e-12 * mean);
        }
    }

    [Fact]
    public void A_loss_that_never_falls_has_no_suggestion()
    {
        Parabola model = new(1, 0.1f);
        LearningRateCurve flat = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), () => (0f * model.Loss()) + 0.1f);
        Assert.Equal(100, flat.Points.Count);
        Assert.Null(flat.Suggestion);
        Assert.Null(LearningRateFinder.Run(model, new Sgd(model.Parameters, 1) { Maximize = true }, model.Loss).Suggestion);
    }

    [Fact]
    public void A_loss_or_a_gradient_that_is_not_finite_ends_the_run()
    {
        Parabola model = new(1, 0);
        int calls = 0;
        LearningRateCurve curve = LearningRateFinder.Run(
            model, new Sgd(model.Parameters, 1), () => ++calls == 8 ? model.Loss() + float.NaN : model.Loss());
        Assert.Equal(7, curve.Points.Count);

        // The square root has a finite value and an infinite slope at 0.
        calls = 0;
        Sgd optimizer = new(model.Parameters, 1);
        curve = LearningRateFinder.Run(model, optimizer, () => ++calls == 8 ? (model.Weight - model.Weight.Detach()).Sqrt().Sum() : model.Loss());
        Assert.Equal(8, curve.Points.Count);
        Assert.Equal(0, optimizer.StepCount);

        calls = 0;
        curve = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), () => ++calls == 1 ? model.Loss() + float.NaN : model.Loss());
        Assert.Empty(curve.Points);
        Assert.Null(curve.Suggestion);
    }

    /// <summary>The slope is infinite from the sixth call on; the values are finite.</summary>
    [Theory]
    [InlineData(NonFinitePolicy.Throw, 100)]
    [InlineData(NonFinitePolicy.SkipStep, 100)]
    [InlineData(NonFinitePolicy.SkipStep, 3)]
    [InlineData(NonFinitePolicy.SkipStep, 0)]
    public void A_gradient_that_is_not_finite_ends_the_run_where_steps_are_skipped_too(NonFinitePolicy policy, int skips)
    {
        Parabola model = new(1, 0);
        Sgd optimizer = new(model.Parameters, 1) { NonFinite = policy, MaximumConsecutiveSkips = skips };
        int calls = 0;
        LearningRateCurve curve = LearningRateFinder.Run(
            model, optimizer, () => ++calls >= 6 ? model.Loss() + (model.Weight - model.Weight.Detach()).Sqrt().Sum() : model.Loss());
        Assert.Equal((6, 6), (curve.Points.Count, calls));
        Assert.Equal((policy, skips, 0), (optimizer.NonFinite, optimizer.MaximumConsecutiveSkips, optimizer.SkippedSteps));
    }

    [Fact]
    public void Overflows_of_a_dynamic_scale_end_the_run_only_where_there_is_no_lower_scale()
    {
        Parabola model = new(1, 0);
        Sgd optimizer = new(model.Parameters, 1) { LossScaling = LossScaling.Dynamic(initial: 4), MaximumConsecutiveSkips = 1 };
        int calls = 0;
        LearningRateCurve curve = LearningRateFinder.Run(
            model, optimizer, () => ++calls >= 6 ? model.Loss() + (model.Weight - model.Weight.Detach()).Sqrt().Sum() : model.Loss());

        // The scale was 4 and 2 at the sixth and seventh.
        Assert.Equal(8, curve.Points.Count);
        Assert.Equal((4, 0), (optimizer.LossScale, optimizer.SkippedSteps));
    }

    [Fact]
    public void A_loss_scale_and_accumulation_change_nothing()
    {
        Parabola model = new(3, 0);
        LearningRateCurve plain = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), model.Loss);
        LearningRateCurve scaled = LearningRateFinder.Run(
            model, new Sgd(model.Parameters, 1) { LossScaling = LossScaling.Static(1024), AccumulationCount = 4 }, model.Loss);
        Assert.Equal(plain.Points, scaled.Points);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_leaves_model_and_optimizer_as_they_were_to_the_bit(bool throws)
    {
        (Recorder model, Optimizer optimizer, Func<Tensor> loss) = Trained();
        Tensor stranger = optimizer.Groups[1].Parameters[0];
        model.Evaluate();
        model.Children[0].Module.Train();
        string before = Everything(model, optimizer);
        Tensor?[] gradients = [.. model.Parameters.Append(stranger).Select(parameter => parameter.Gradient)];
        int calls = 0;
        bool wasTraining = false;
        Func<Tensor> watched = () =>
        {
            calls++;
            wasTraining = model.IsTraining && model.Children.All(child => child.Module.IsTraining);
            Assert.Equal(optimizer.LearningRate, optimizer.Groups[1].LearningRate ?? optimizer.LearningRate);
            return throws && calls == 20 ? throw new TimeoutException("no more data") : loss() + stranger.Square().Sum();
        };
        Exception? exception = Record.Exception(() => LearningRateFinder.Run(model, optimizer, watched));
        Assert.Equal(throws, exception is TimeoutException);
        Assert.True(calls >= 20 && wasTraining);
        Assert.Equal(before, Everything(model, optimizer));
        Assert.All(model.Parameters.Append(stranger).Zip(gradients), pair => Assert.Same(pair.Second, pair.First.Gradient));
    }

    [Fact]
    public void Parts_of_a_model_in_training_that_are_not_stay_so()
    {
        (Recorder model, Optimizer optimizer, Func<Tensor> loss) = Trained();
        model.Children[0].Module.Evaluate();
        LearningRateFinder.Run(model, optimizer, () =>
        {
            Assert.False(model.Children[0].Module.IsTraining);
            return loss();
        });
        Assert.True(model.IsTraining);
        Assert.False(model.Children[0].Module.IsTraining);
    }

    [Fact]
    public void Training_goes_on_as_if_it_had_not_been_run()
    {
        string straight = Continue(find: false);
        Assert.Equal(straight, Continue(find: true));

        static string Continue(bool find)
        {
            (Recorder model, Optimizer optimizer, Func<Tensor> loss) = Trained();
            if (find)
            {
                LearningRateFinder.Run(model, optimizer, loss);
            }

            Train(optimizer, loss, 5);
            return Everything(model, optimizer);
        }
    }

    [Fact]
    public void The_curve_can_be_drawn()
    {
        Parabola model = new(100, 0);
        string svg = LearningRateFinder.Run(model, new Sgd(model.Parameters, 1), model.Loss).ToChart().ToSvg();
        Assert.Contains("Learning rate finder: 0.00", svg, StringComparison.Ordinal);
        Assert.Contains(">smoothed</text>", svg, StringComparison.Ordinal);
        Assert.Contains("log10 of the learning rate", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void It_says_what_is_wrong_with_its_arguments()
    {
        Parabola model = new(1, 0);
        Sgd optimizer = new(model.Parameters, 0.3);
        Teaches(() => LearningRateFinder.Run(model, optimizer, model.Loss, minimum: 0), "minimum", "positive");
        Teaches(() => LearningRateFinder.Run(model, optimizer, model.Loss, minimum: 10), "maximum", "above the minimum, 10");
        Teaches(() => LearningRateFinder.Run(model, optimizer, model.Loss, maximum: double.PositiveInfinity), "maximum", "finite");
        Teaches(() => LearningRateFinder.Run(model, optimizer, model.Loss, steps: 9), "steps", "at least 10");
        Teaches(() => LearningRateFinder.Run(model, optimizer, model.Loss, divergence: 1), "divergence", "above 1");
        Assert.Throws<ArgumentNullException>(() => LearningRateFinder.Run(null!, optimizer, model.Loss));
        Assert.Throws<ArgumentNullException>(() => LearningRateFinder.Run(model, null!, model.Loss));
        Assert.Throws<ArgumentNullException>(() => LearningRateFinder.Run(model, optimizer, null!));
        Assert.Contains("the loss gave null", Assert.Throws<ArgumentException>(() => LearningRateFinder.Run(model, optimizer, () => null!)).Message, StringComparison.Ordinal);
        string message = Assert.Throws<ShapeException>(() => LearningRateFinder.Run(model, optimizer, () => model.Weight.Square())).Message;
        Assert.Contains("LearningRateFinder.Run follows one number, but the loss has shape [3], 3 elements", message, StringComparison.Ordinal);
        Assert.Contains("loss.Mean()", message, StringComparison.Ordinal);
        Assert.Equal(0.3, optimizer.LearningRate);
    }

    private static void Teaches(Action action, params string[] parts)
    {
        ArgumentOutOfRangeException exception = Assert.Throws<ArgumentOutOfRangeException>(action);
        Assert.All(parts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    /// <summary>A model with a buffer, some steps into its training with Adam; the optimizer has a parameter besides.</summary>
    private static (Recorder Model, Optimizer Optimizer, Func<Tensor> Loss) Trained()
    {
        Generator generator = new(3);
        Tensor input = Tensor.Normal([16, 4], generator: generator);
        Recorder model = new(generator);
        Tensor stranger = Tensor.Of([1f, 2f]).WithGradient("stranger");
        stranger.Gradient = Tensor.Of([0.5f, -0.5f]);
        Adam optimizer = new(
            [new ParameterGroup(model.Parameters), new ParameterGroup([stranger]) { LearningRate = 0.02, WeightDecay = 0.3 }], 0.01, amsGrad: true);
        Tensor Compute() => Loss.MeanSquare(model.Forward(input), input);
        Train(optimizer, Compute, 3);
        return (model, optimizer, Compute);
    }

    private static void Train(Optimizer optimizer, Func<Tensor> loss, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            optimizer.ZeroGradients();
            loss().Backward();
            optimizer.Step();
        }
    }

    /// <summary>All that is to stay, as text: JSON holds a float32 exactly.</summary>
    private static string Everything(Recorder model, Optimizer optimizer) => JsonSerializer.Serialize(new
    {
        Model = model.State(),
        Modes = new[] { model }.Concat(model.Children.Select(child => child.Module)).Select(module => module.IsTraining),
        Optimizer = optimizer.State(),
        Other = optimizer.Groups.SelectMany(group => group.Parameters).Select(parameter => parameter.ToArray()),
        Gradients = optimizer.Groups.SelectMany(group => group.Parameters).Select(parameter => parameter.Gradient?.ToArray()),
    });

    /// <summary>½ · L · |w|² + c.</summary>
    private sealed class Parabola : Module
    {
        private readonly float curvature;
        private readonly float offset;

        public Parabola(float curvature, float offset)
        {
            this.curvature = curvature;
            this.offset = offset;
            Weight = Parameter("weight", Tensor.Of([1f, -2f, 0.5f]));
        }

        public Tensor Weight { get; }

        public Tensor Loss() => (0.5f * curvature * Weight.Square().Sum()) + offset;
    }

    /// <summary>Two layers, and a buffer that counts the forward passes in training.</summary>
    private sealed class Recorder : Layer
    {
        private readonly Linear encoder;
        private readonly Linear decoder;
        private readonly Tensor count;

        public Recorder(Generator generator)
        {
            encoder = Child("encoder", new Linear(4, 3, generator: generator));
            decoder = Child("decoder", new Linear(3, 4, generator: generator));
            count = Buffer("count", Tensor.Zeros(1));
        }

        protected override Tensor Compute(Tensor input)
        {
            if (IsTraining)
            {
                count.Fill(count.Item() + 1);
            }

            return decoder.Forward(encoder.Forward(input).Tanh());
        }
    }
}
