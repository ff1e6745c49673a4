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
return interruption.IsRequested || (free is { LargestNorm: > 1e6, LastLoss: > 0.1 } && clipped.LastLoss < 0.03) ? 0 : 1;

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
        rnn.Parameters[0].Assign(Tensor.Normal([64, 2], standardDeviation: 0.1f));
        rnn.Parameters[1].Assign(Tensor.Eye(64));
        rnn.Parameters[2].Assign(Tensor.Zeros(64));
        rnn.Parameters[3].Assign(Tensor.Zeros(64));
    }

    var optimizer = new Sgd([.. rnn.Parameters, .. head.Parameters], learningRate: 0.01, momentum: 0.9)
    {
        Clip = [Clip.GlobalNorm(threshold)],
        NonFinite = NonFinitePolicy.Propagate, // Without this the first exploded gradient is an error; here we want to see it.
    };
    var rate = new Scheduler(Schedule.Cosine(optimizer.LearningRate, Steps), value => optimizer.LearningRate = value);
    Run run = new([], []);
    for (int step = 1; step <= Steps && !interruption.IsRequested; step++)
    {
        (Tensor input, Tensor target) = ToyData.AddingProblem(32, Length, data);
        optimizer.ZeroGradients();
        Tensor loss = Loss.MeanSquare(head.Forward(rnn.Forward(input)[.., ^1]), target);
        loss.Backward();
        StepReport report = optimizer.Step();
        rate.Step();
        run.Losses.Add((step, loss.Item()));
        run.Norms.Add((step, report.Norm));
    }

    return run;
}

/// <summary>The curves of one training.</summary>
public sealed record Run(List<(double Step, double Value)> Losses, List<(double Step, double Value)> Norms)
{
    /// <summary>The mean loss of the last hundred steps.</summary>
    public double LastLoss => Losses.TakeLast(100).Average(point => point.Value);

    public double LargestNorm => Norms.Max(point => point.Value);

    public string Verdict => Losses.Count == 0
        ? "not begun"
        : $"largest gradient norm {LargestNorm:g3}, mean loss of the last 100 of {Losses.Count} steps {LastLoss:0.0000}";
}
