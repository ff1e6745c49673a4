using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Xunit.Abstractions;

namespace Minigrad.Tests.Training;

/// <summary>A training that half precision ends before it begins, because every gradient vanishes, and that a loss scale saves.</summary>
public sealed class HalfPrecisionTests(ITestOutputHelper output)
{
    private const int Steps = 600;
    private const float Unit = 1e-3f;

    // The network of examples/14-half-precision.cs. What is left at the end is the noise of the targets, 0.1².
    [Fact]
    public void Dynamic_loss_scaling_brings_half_precision_to_the_loss_of_float32()
    {
        Outcome single = Train("float32", Precision.Full, null);
        Assert.InRange(single.Loss, 0, 0.015);
        Assert.Equal(0, single.ZerosAtFirst);

        Outcome vanished = Train("half", Precision.Half, null);
        Assert.Equal(1, vanished.ZerosAtFirst);
        Assert.True(vanished.Loss > 10 * single.Loss, $"Without a scale the loss is {vanished.Loss}, in float32 {single.Loss}.");
        Assert.Equal(vanished.Weights, Train("half, no step", Precision.Half, null, steps: 1).Weights);

        Outcome rescued = Train("half, dynamic scale", Precision.Half, LossScaling.Dynamic());
        Assert.InRange(rescued.Loss / single.Loss, 0.98, 1.02);
        Assert.Equal(0, rescued.Skipped);

        // From too large a scale, it is found by overflowing.
        Outcome searched = Train("half, too large a scale", Precision.Half, LossScaling.Dynamic(initial: 1L << 44, maximum: 1L << 44));
        Assert.InRange(searched.Loss / single.Loss, 0.98, 1.02);
        Assert.InRange(searched.Skipped, 5, 20);
        Assert.Equal(Math.ScaleB(1, 44 - searched.Skipped), searched.Scale);
    }

    /// <summary>bfloat16 has the range of float32, so nothing vanishes; with 8 bits it is less exact.</summary>
    [Fact]
    public void In_bfloat16_nothing_vanishes()
    {
        Outcome outcome = Train("bfloat16", Precision.BFloat16, null);
        Assert.Equal(0, outcome.ZerosAtFirst);
        Assert.InRange(outcome.Loss, 0, 0.015);
    }

    private Outcome Train(string name, Precision precision, LossScaling? scaling, int steps = Steps)
    {
        Generator generator = new(1);
        Tensor place = Tensor.Uniform([512, 2], -1, 1, generator);
        Tensor height = ((3f * place[.., 0..1]).Sin() * (2f * place[.., 1..2]).Cos()) + Tensor.Normal([512, 1], 0, 0.1f, generator);
        Tensor target = Unit * height;
        Sequential model = new(
            new Linear(2, 16, generator: generator),
            new Tanh(),
            new Linear(16, 16, generator: generator),
            new Tanh(),
            new Linear(16, 1, generator: generator));
        Adam optimizer = new(model.Parameters, epsilon: 1e-12) { LossScaling = scaling };
        double zeros = 0;
        double loss = 0;
        for (int step = 0; step < steps; step++)
        {
            optimizer.LearningRate = 0.01 * (Steps - step) / Steps;
            optimizer.ZeroGradients();
            Tensor result;
            using (new EmulatedPrecision(precision))
            {
                result = Unit * model.Forward(place);
            }

            Tensor error = Loss.MeanSquare(result, target);
            optimizer.Scale(error).Backward();
            zeros = step == 0 ? Gradients(model).Average(value => value == 0 ? 1.0 : 0.0) : zeros;
            optimizer.Step();
            loss = error.Item() / (Unit * Unit);
        }

        output.WriteLine($"{name}: loss {loss:0.00000}, gradients that are 0 {100 * zeros:0} %, scale {optimizer.LossScale:g}, skipped {optimizer.SkippedSteps}");
        return new Outcome(loss, zeros, optimizer.LossScale, optimizer.SkippedSteps, [.. model.Parameters.SelectMany(parameter => parameter.ToArray())]);
    }

    private static IEnumerable<float> Gradients(Sequential model) => model.Parameters.SelectMany(parameter => parameter.Gradient!.ToArray());

    private sealed record Outcome(double Loss, double ZerosAtFirst, double Scale, int Skipped, float[] Weights);
}
