#:project ../Minigrad
// Why gradients are clipped: dotnet run -c Release examples/07-exploding-rnn.cs
// A plain recurrent network is to add two marked numbers of a sequence. Without clipping one exploding gradient throws
// the weights away; with it the same network, from the same seed and the same data, learns.
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Length = 40;
const int Steps = 4000;
const double Threshold = 1;

using var interruption = new Interruption();
Run free = Train(double.PositiveInfinity); // +∞ measures and never clips.
Run clipped = Train(Threshold);
Console.WriteLine($"clipping off: {free.Verdict}");
Console.WriteLine($"clipping on:  {clipped.Verdict}   (guessing the mean: 0.167)");

string picture = Path.Combine(Directory.GetCurrentDirectory(), "exploding-rnn.svg");
List<(double Step, double Value)> line = [(1, Threshold), (Steps, Threshold)];
new LineChart(
    $"Adding two of {Length} numbers, clipping off (left) and on (right)", "step",
    new Panel("loss", [new Series("clipping off", free.Losses)]) { IsLogarithmic = true },
    new Panel("loss", [new Series("clipping on", clipped.Losses)]) { IsLogarithmic = true },
    new Panel("gradient norm", [new Series("gradient norm", free.Norms)]) { IsLogarithmic = true },
    new Panel("gradient norm", [new Series("gradient norm", clipped.Norms), new Series("threshold", line)]) { IsLogarithmic = true })
{
    ColumnCount = 2,
}.Save(picture);
Console.WriteLine($"Both runs are in {picture}");
return interruption.IsRequested || (!double.IsFinite(free.LastLoss) && clipped.LastLoss < 0.03) ? 0 : 1;

Run Train(double threshold)
{
    // The same numbers for both runs: weights, sequences, everything but the threshold.
    Generator.Default = new Generator(seed: 1);
    Generator data = Generator.Default.For("data");
    var rnn = new Rnn(2, 64, activation: Activation.Relu);
    var head = new Linear(64, 1);
    using (new NoGrad())
    {
        // Le, Jaitly and Hinton (2015, arXiv:1504.00941): relu units that begin by remembering everything.
        rnn.Parameters[1].Assign(Tensor.Eye(64));
    }

    var optimizer = new Sgd([.. rnn.Parameters, .. head.Parameters], learningRate: 0.005, momentum: 0.9)
    {
        Clip = [Clip.GlobalNorm(threshold)],
        NonFinite = NonFinitePolicy.Propagate, // Here we want to see it go wrong.
    };
    Run run = new([], []);
    for (int step = 1; step <= Steps && double.IsFinite(run.LastLoss) && !interruption.IsRequested; step++)
    {
        (Tensor input, Tensor target) = ToyData.AddingProblem(32, Length, data);
        optimizer.ZeroGradients();
        Tensor loss = Loss.MeanSquare(head.Forward(rnn.Forward(input)[.., ^1]), target);
        loss.Backward();
        StepReport report = optimizer.Step();
        run.Losses.Add((step, loss.Item()));
        run.Norms.Add((step, report.Norm));
    }

    return run;
}

/// <summary>The curves of one training.</summary>
public sealed record Run(List<(double Step, double Value)> Losses, List<(double Step, double Value)> Norms)
{
    /// <summary>The mean loss of the last hundred steps; not finite once one was not.</summary>
    public double LastLoss => Losses.Count == 0 ? 1 : Losses.TakeLast(100).Average(point => point.Value);

    public string Verdict => double.IsFinite(LastLoss)
        ? $"mean loss of the last 100 of {Losses.Count} steps {LastLoss:0.0000}, largest gradient norm {Norms.Max(point => point.Value):g3}"
        : $"destroyed at step {Losses.Count}, after a gradient norm of {Norms.Where(point => double.IsFinite(point.Value)).Max(point => point.Value):g3}";
}
