using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Xunit.Abstractions;

namespace Minigrad.Tests.Training;

/// <summary>
/// The adding problem (Hochreiter and Schmidhuber, 1997): the sum of two marked numbers of a sequence. Answering 1 always
/// gives a mean square error of 1/6.
/// </summary>
public sealed class AddingProblemTests(ITestOutputHelper output)
{
    private const double Guessing = 1.0 / 6;

    [Fact]
    public void An_lstm_adds_two_of_sixty_numbers()
    {
        Generator generator = new(1);
        var lstm = new Lstm(2, 32, new RecurrentOptions { Generator = generator }, forgetBias: 1);
        var head = new Linear(32, 1, generator: generator);
        var optimizer = new Adam([.. lstm.Parameters, .. head.Parameters], learningRate: 1e-2) { Clip = [Clip.GlobalNorm(1)] };
        var rate = new Scheduler(Schedule.Cosine(1e-2, 2000), value => optimizer.LearningRate = value);
        for (int step = 0; step < 2000; step++)
        {
            Train(lstm, head, optimizer, ToyData.AddingProblem(32, 60, generator));
            rate.Step();
        }

        // Sequences that it has not seen.
        (Tensor input, Tensor target) = ToyData.AddingProblem(1000, 60, new Generator(2));
        using var scope = new NoGrad();
        float error = Loss.MeanSquare(head.Forward(lstm.Forward(input)[.., ^1]), target).Item();
        output.WriteLine($"mean square error {error:e2}");
        Assert.True(error < 0.01, $"The mean square error is {error}.");
    }

    // The network of examples/07-exploding-rnn.cs.
    [Fact]
    public void A_plain_network_is_thrown_away_without_clipping_and_learns_with_it()
    {
        (double[] losses, double largest) = Run(clip: double.PositiveInfinity, steps: 1000);
        double last = losses.TakeLast(100).Average();
        output.WriteLine($"clipping off: largest norm {largest:g3}, highest loss {losses.Max():g3}, last {last:0.000}");
        Assert.False(largest <= 1e6 || losses.Max() <= 1e6, $"The largest norm is {largest:g3}, the highest loss {losses.Max():g3}.");
        Assert.False(last < 0.9 * Guessing, $"Without clipping it learned: {last}.");

        (losses, largest) = Run(clip: 1, steps: 4000);
        last = losses.TakeLast(100).Average();
        output.WriteLine($"clipping on: largest norm {largest:g3}, highest loss {losses.Max():g3}, last {last:0.000}");
        Assert.True(last < 0.25 * Guessing, $"With clipping the loss is {last}.");
    }

    private static (double[] Losses, double LargestNorm) Run(double clip, int steps)
    {
        Generator generator = new(1);
        var rnn = new Rnn(2, 64, new RecurrentOptions { Generator = generator }, Activation.Relu);
        var head = new Linear(64, 1, generator: generator);
        using (new NoGrad())
        {
            rnn.Parameters[0].Assign(Tensor.Normal([64, 2], standardDeviation: 0.1f, generator: generator));
            rnn.Parameters[1].Assign(Tensor.Eye(64));
            rnn.Parameters[2].Assign(Tensor.Zeros(64));
            rnn.Parameters[3].Assign(Tensor.Zeros(64));
        }

        var optimizer = new Sgd([.. rnn.Parameters, .. head.Parameters], learningRate: 0.01, momentum: 0.9)
        {
            Clip = [Clip.GlobalNorm(clip)],
            NonFinite = NonFinitePolicy.Propagate,
        };
        var rate = new Scheduler(Schedule.Cosine(optimizer.LearningRate, 4000), value => optimizer.LearningRate = value);
        double[] losses = new double[steps];
        double largest = 0;
        for (int step = 0; step < steps; step++)
        {
            (losses[step], double norm) = Train(rnn, head, optimizer, ToyData.AddingProblem(32, 40, generator));
            largest = Math.Max(largest, norm);
            rate.Step();
        }

        return (losses, largest);
    }

    private static (double Loss, double Norm) Train(RecurrentLayer network, Linear head, Optimizer optimizer, PairedData batch)
    {
        optimizer.ZeroGradients();
        Tensor loss = Loss.MeanSquare(head.Forward(network.Forward(batch.Inputs)[.., ^1]), batch.Targets);
        loss.Backward();
        return (loss.Item(), optimizer.Step().Norm);
    }
}
