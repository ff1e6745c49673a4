#:project ../Minigrad
// A network learns to read handwritten digits: dotnet run -c Release examples/03-digits.cs
using System.Diagnostics;
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Epochs = 30;
const double LearningRate = 2e-3;
const double Threshold = 1;

// One seed: the same numbers, the same network, the same result, on every run and for any number of threads.
Generator.Default = new Generator(seed: 1);
(LabeledData train, LabeledData test) = Digits.Load();
Console.WriteLine($"{train.Count} images to learn from, {test.Count} to test with. Three of them:\n{Draw(train, 3)}");

var model = new Sequential(
    new Linear(Digits.PixelCount, 256), new Relu(), new Dropout(0.3f),
    new Linear(256, 128), new Relu(), new Dropout(0.3f),
    new Linear(128, Digits.ClassCount));
Console.WriteLine(model.Summary(1, Digits.PixelCount) + "\n");

var optimizer = new AdamW(model.Parameters, weightDecay: 0.1)
{
    Clip = [Clip.GlobalNorm(Threshold)],
};

Generator shuffle = Generator.Default.For("shuffle");
List<(double Step, double Value)> losses = [], norms = [], clipped = [];
var watch = Stopwatch.StartNew();
for (int epoch = 1; epoch <= Epochs; epoch++)
{
    optimizer.LearningRate = LearningRate * (Epochs - epoch + 1) / Epochs;
    model.Train();
    double lossSum = 0, normSum = 0;
    int steps = 0, clips = 0;
    foreach (LabeledData batch in train.Batches(32, shuffle))
    {
        optimizer.ZeroGradients();
        Tensor loss = Loss.CrossEntropy(model.Forward(batch.Features), batch.Labels, labelSmoothing: 0.1f);
        loss.Backward();
        StepReport report = optimizer.Step();

        lossSum += loss.Item();
        normSum += report.Norm;
        clips += report.WasClipped ? 1 : 0;
        steps++;
        losses.Add((optimizer.StepCount, loss.Item()));
        norms.Add((optimizer.StepCount, report.Norm));
        clipped.Add((optimizer.StepCount, report.ClippedNorm));
    }

    TimeSpan left = watch.Elapsed / epoch * (Epochs - epoch);
    Console.WriteLine(
        $"epoch {epoch,2}/{Epochs}  loss {lossSum / steps:0.0000}  gradient norm {normSum / steps:0.000}  "
        + $"clipped {100.0 * clips / steps,3:0} %  test accuracy {100 * Accuracy(test):0.0} %  {left.TotalSeconds,4:0.0} s left");
}

double accuracy = Accuracy(test);
Console.WriteLine($"\nTest accuracy {100 * accuracy:0.0} % after {watch.Elapsed.TotalSeconds:0.0} s.");

string picture = Path.Combine(Directory.GetCurrentDirectory(), "digits-training.svg");
new LineChart(
    "A network learns the digits", "step",
    new Panel("loss", [new Series("training loss", losses)]) { IsLogarithmic = true },
    new Panel("gradient norm", [new Series("before clipping", norms), new Series("after clipping", clipped)]) { IsLogarithmic = true })
    .Save(picture);
Console.WriteLine($"The training curve is in {picture}");
return accuracy >= 0.97 ? 0 : 1;

// The share of rows whose largest output is the right one.
double Accuracy(LabeledData data)
{
    model.Evaluate();
    using var scope = new NoGrad();
    int[] guesses = model.Forward(data.Features).ArgMax().Values;
    return guesses.Zip(data.Labels, (guess, label) => guess == label).Average(right => right ? 1.0 : 0.0);
}

// Images side by side, as characters.
static string Draw(LabeledData data, int count)
{
    const string Ink = " .:-=+*#@";
    var lines = Enumerable.Range(0, 8).Select(row => string.Join("    ", Enumerable.Range(0, count).Select(image =>
        string.Concat(data.Features[image, (8 * row)..(8 * row + 8)].ToArray().Select(pixel => new string(Ink[(int)(pixel * 8)], 2))))));
    return string.Join("\n", lines) + $"\n{string.Join(string.Empty, data.Labels.Take(count).Select(label => $"{label,8}            "))}\n";
}
