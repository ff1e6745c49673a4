using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Optimizers.Monitoring;

namespace Minigrad.Tests;

/// <summary>The code of docs/gradient-clipping.md in both languages, compiled and asserted. A test holds the guides against this file.</summary>
public sealed class ClippingGuide
{
    private readonly Sequential model;
    private readonly Tensor x;
    private readonly Tensor target;

    public ClippingGuide()
    {
        Generator generator = new(1);
        model = new Sequential(new Linear(3, 16, generator: generator), new Tanh(), new Linear(16, 1, generator: generator));
        x = Tensor.Normal([8, 3], standardDeviation: 100, generator: generator);
        target = Tensor.Normal([8, 1], standardDeviation: 100, generator: generator);
    }

    [Fact]
    public void A_clipped_step()
    {
        var optimizer = new Sgd(model.Parameters, learningRate: 0.01, momentum: 0.9) { Clip = [Clip.GlobalNorm(1)] };
        Loss.MeanSquare(model.Forward(x), target).Backward();
        StepReport report = optimizer.Step();
        Console.WriteLine($"norm {report.Norm:0.00}, coefficient {report.Coefficient:0.00}");

        Assert.True(report.Norm > 100);
        Assert.Equal(1 / report.Norm, report.Coefficient);
    }

    [Fact]
    public void Stages_act_in_the_order_given()
    {
        Optimizer optimizer = new Sgd(model.Parameters, learningRate: 0.01);

        optimizer.Clip = [Clip.Value(5), Clip.GlobalNorm(1)];

        Loss.MeanSquare(model.Forward(x), target).Backward();
        StepReport report = optimizer.Step();
        Assert.Equal(["Value(5)", "GlobalNorm(1)"], report.Stages.Select(stage => stage.Stage));
        Assert.All(report.Stages, stage => Assert.True(stage.Acted));
        Assert.True(report.Stages[1].Norm < report.Stages[0].Norm);
        Assert.Equal(1, report.ClippedNorm, 1e-6);
    }

    [Fact]
    public void A_loop_by_hand()
    {
        Loss.MeanSquare(model.Forward(x), target).Backward();

        double norm = Clip.GlobalNorm(1).Apply(model.Parameters);

        Assert.True(norm > 100);
        Assert.Equal(1, Clip.GlobalNorm(1).Apply(model.Parameters), 1e-6);
    }

    [Fact]
    public void A_clipped_update()
    {
        var optimizer = new AdamW(model.Parameters, learningRate: 1e-3) { UpdateClip = UpdateClip.StableAdamW() };

        Step(optimizer, 1);
        // v̂ after a gradient of 1 and one of 1000 is half of 1000².
        Assert.Equal(Math.Sqrt(0.5), Step(optimizer, 1000).UpdateCoefficient, 1e-3);
    }

    [Fact]
    public void Spikes_that_Spam_cuts()
    {
        var optimizer = new Spam(model.Parameters, learningRate: 1e-3, threshold: 5000, resetInterval: 500);

        Assert.False(Step(optimizer, 1).WasSkipped);
    }

    [Fact]
    public void Each_example_by_itself()
    {
        Optimizer optimizer = new Sgd(model.Parameters, learningRate: 0.01);
        Generator.Default = new Generator(1);

        var clip = new PerExampleClip(threshold: 1, noise: 0.5);
        PerExampleReport examples = clip.Backward(
            model.Parameters, count: 8, example => Loss.MeanSquare(model.Forward(x[example..(example + 1)]), target[example..(example + 1)]));
        optimizer.Step();

        Assert.Equal(8, examples.Norms.Count);
        Assert.Equal(8, examples.ClippedCount);
    }

    [Fact]
    public void A_threshold_that_follows_the_norms()
    {
        Optimizer optimizer = new Sgd(model.Parameters, learningRate: 0);

        optimizer.Clip = [Clip.GlobalNorm(Threshold.Percentile(90, warmup: 20))];

        for (int step = 0; step < 20; step++)
        {
            Assert.False(Step(optimizer, 1).WasClipped);
        }

        double usual = Step(optimizer, 1).Norm;
        Assert.Equal(usual, Step(optimizer, 1000).ClippedNorm, usual * 1e-5);
    }

    [Fact]
    public void Two_thresholds_one_behind_the_other()
    {
        Optimizer optimizer = new Sgd(model.Parameters, learningRate: 0);

        optimizer.Clip = [Clip.GlobalNorm(Threshold.Percentile(90)), Clip.GlobalNorm(10)];

        Assert.Equal(10, Step(optimizer, 1000).ClippedNorm, 1e-4);
    }

    [Fact]
    public void A_record_and_the_advisor()
    {
        Optimizer optimizer = new Sgd(model.Parameters, learningRate: 1e-6);

        var history = new StepHistory();
        for (int step = 0; step < 200; step++)
        {
            optimizer.ZeroGradients();
            Tensor loss = Loss.MeanSquare(model.Forward(x), target);
            loss.Backward();
            history.Add(optimizer.Step(), loss);
        }

        ThresholdAdvice advice = ThresholdAdvisor.Advise(history);
        Console.WriteLine(advice);
        optimizer.Clip = [Clip.GlobalNorm(advice.Suggestion ?? 1)];

        Assert.Equal(200, history.StepCount);
        Assert.Equal((advice.Mean / 2, advice.Mean * 10), advice.Range);
        Assert.NotNull(advice.Suggestion);
    }

    [Fact]
    public void A_scaled_loss()
    {
        Tensor loss = Loss.MeanSquare(model.Forward(x), target);

        var optimizer = new Adam(model.Parameters) { LossScaling = LossScaling.Dynamic(), Clip = [Clip.GlobalNorm(1)] };
        optimizer.Scale(loss).Backward();
        optimizer.Step();

        Assert.Equal(65536, optimizer.LossScale);
        optimizer.ZeroGradients();
        optimizer.Scale(Loss.MeanSquare(model.Forward(x), target)).Backward();
        Assert.Throws<InvalidOperationException>(() => Clip.GlobalNorm(1).Apply(model.Parameters));
    }

    [Fact]
    public void A_gradient_that_others_lose()
    {
        Tensor w = Tensor.Zeros(2).WithGradient("w");
        w.Gradient = Tensor.Of([3e20f, 4e20f]);
        double norm = Clip.GlobalNorm(1).Apply([w]); // 5e20, and the gradient is now (0.6, 0.8)

        Assert.Equal(5e20, norm, 1e14);
        Assert.Equal([0.6f, 0.8f], w.Gradient.ToArray(), (expected, actual) => Math.Abs(expected - actual) < 1e-6f);
    }

    [Fact]
    public void A_trace_to_where_it_began()
    {
        void Trace()
        {
            using (Anomaly.Trace())
            {
                Loss.MeanSquare(model.Forward(x), target).Backward(); // throws AnomalyException, which says where it began
            }
        }

        Trace();
        using (new NoGrad())
        {
            model.Parameters[0].Fill(float.NaN);
        }

        Assert.Throws<AnomalyException>(Trace);
    }

    /// <summary>A step along a gradient so many times the usual.</summary>
    private StepReport Step(Optimizer optimizer, float factor)
    {
        optimizer.ZeroGradients();
        (Loss.MeanSquare(model.Forward(x), target) * factor).Backward();
        return optimizer.Step();
    }
}
