#:project ../Minigrad
// Clothes in ten classes, 60,000 images to learn from: dotnet run -c Release examples/04-fashion-mnist.cs [folder]
// The data: `apt-get install dataset-fashion-mnist` on Debian and Ubuntu, or FashionMnist.DownloadAsync anywhere.
using System.Diagnostics;
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Epochs = 10;
const int BatchSize = 64;

Generator.Default = new Generator(seed: 1);
(LabeledData train, LabeledData test) = FashionMnist.Load(args.FirstOrDefault());
Console.WriteLine($"{train.Count:N0} images to learn from, {test.Count:N0} to test with. Ctrl+C stops early.");

var model = new Sequential(new Linear(784, 128), new Relu(), new Linear(128, 10));
var optimizer = new AdamW(model.Parameters) { Clip = [Clip.GlobalNorm(1)] };
var loader = new Loader<LabeledData>(train, BatchSize, Generator.Default.For("shuffle")) { Prefetch = 2 };
var rate = new Scheduler(Schedule.OneCycle(3e-3, Epochs * loader.BatchCount), value => optimizer.LearningRate = value);

using var interruption = new Interruption();
List<(double Epoch, double Value)> losses = [], norms = [], accuracies = [];
var watch = Stopwatch.StartNew();
for (int epoch = 1; epoch <= Epochs && !interruption.IsRequested; epoch++)
{
    model.Train();
    double lossSum = 0, normSum = 0;
    int steps = 0;
    foreach (LabeledData batch in loader)
    {
        if (interruption.IsRequested)
        {
            break;
        }

        optimizer.ZeroGradients();
        Tensor loss = Loss.CrossEntropy(model.Forward(batch.Features), batch.Labels);
        loss.Backward();
        normSum += optimizer.Step().Norm;
        lossSum += loss.Item();
        steps++;
        rate.Step();
    }

    if (steps == 0)
    {
        break;
    }

    losses.Add((epoch, lossSum / steps));
    norms.Add((epoch, normSum / steps));
    accuracies.Add((epoch, 100 * Accuracy(test)));
    Console.WriteLine(
        $"epoch {epoch,2}/{Epochs}  loss {losses[^1].Value:0.0000}  gradient norm {norms[^1].Value:0.000}  "
        + $"test accuracy {accuracies[^1].Value:0.00} %  {watch.Elapsed.TotalSeconds,4:0.0} s");
}

if (accuracies.Count == 0)
{
    Console.WriteLine("Stopped before anything was learned.");
    return 0;
}

double best = accuracies.Max(point => point.Value);
Console.WriteLine($"\n{(interruption.IsRequested ? "Stopped early. " : string.Empty)}Best test accuracy {best:0.00} %, after {watch.Elapsed.TotalSeconds:0.0} s.");
string picture = Path.Combine(Directory.GetCurrentDirectory(), "fashion-mnist-training.svg");
new LineChart(
    "A network learns Fashion-MNIST", "epoch",
    new Panel("loss", [new Series("training loss", losses)]),
    new Panel("test accuracy in %", [new Series("test accuracy", accuracies)]),
    new Panel("gradient norm", [new Series("mean before clipping", norms)]))
    .Save(picture);
Console.WriteLine($"The training curve is in {picture}");
return interruption.IsRequested || best >= 88 ? 0 : 1;

double Accuracy(LabeledData data)
{
    model.Evaluate();
    using var scope = new NoGrad();
    int[] guesses = model.Forward(data.Features).ArgMax().Values;
    return guesses.Zip(data.Labels, (guess, label) => guess == label).Average(right => right ? 1.0 : 0.0);
}
