#:project ../Minigrad
// An LSTM learns to write character by character: dotnet run -c Release examples/08-characters.cs [--quick] [file...]
// Without a file it reads Minigrad.Core, and soon writes something like C#.
using System.Diagnostics;
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Hidden = 256;
const int BatchSize = 32;
const int Length = 64; // Steps that a gradient flows back; the state is carried on.
int epochs = args.Contains("--quick") ? 1 : 4;

string[] files = [.. args.Where(argument => argument != "--quick")];
if (files.Length == 0)
{
    string examples = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
    files = Directory.GetFiles(Path.Combine(examples, "..", "Minigrad.Core"), "*.cs", SearchOption.AllDirectories);
    Array.Sort(files, StringComparer.Ordinal);
}

Generator.Default = new Generator(seed: 1);
TextData text = TextData.Read(files);
(TextData train, TextData test) = text.Split(0.9);
Console.WriteLine($"{files.Length} files, {text}. Ctrl+C stops early.");

var embedding = new Embedding(text.Vocabulary.Count, 64);
var lstm = new Lstm(64, Hidden);
var head = new Linear(Hidden, text.Vocabulary.Count);
var optimizer = new Adam([.. embedding.Parameters, .. lstm.Parameters, .. head.Parameters]) { Clip = [Clip.GlobalNorm(1)] };
int stepsPerEpoch = train.Streams(BatchSize, Length).Count();
var rate = new Scheduler(Schedule.OneCycle(6e-3, epochs * stepsPerEpoch), value => optimizer.LearningRate = value);

using var interruption = new Interruption();
List<(double Epoch, double Value)> losses = [], norms = [], perplexities = [(0, Perplexity())];
var watch = Stopwatch.StartNew();
int steps = 0;
for (int epoch = 0; epoch < epochs && !interruption.IsRequested; epoch++)
{
    RecurrentState? state = null;
    foreach ((Indices input, Indices target) in train.Streams(BatchSize, Length))
    {
        if (interruption.IsRequested)
        {
            break;
        }

        optimizer.ZeroGradients();
        (Tensor loss, state) = Predict(input, target, state?.Detach());
        loss.Backward();
        norms.Add(((double)steps / stepsPerEpoch, optimizer.Step().Norm));
        losses.Add(((double)steps / stepsPerEpoch, loss.Item()));
        rate.Step();
        if (++steps % 200 == 0)
        {
            Console.WriteLine($"\nepoch {losses[^1].Epoch:0.00}  loss {losses[^1].Value:0.000}  {watch.Elapsed.TotalSeconds:0} s\n  | {Write("    ", 160)}");
        }
    }

    perplexities.Add(((double)steps / stepsPerEpoch, Perplexity()));
    Console.WriteLine($"\nafter {perplexities[^1].Epoch:0.00} epochs: perplexity of the held-out text {perplexities[^1].Value:0.00}");
}

Console.WriteLine($"\n{(interruption.IsRequested ? "Stopped early. " : string.Empty)}Perplexity {perplexities[0].Value:0.0} before, {perplexities[^1].Value:0.00} after {steps} steps. It writes:\n");
Console.WriteLine(Write("    /// <summary>", 600));
string picture = Path.Combine(Directory.GetCurrentDirectory(), "characters-training.svg");
new LineChart(
    "An LSTM learns to write", "epoch",
    new Panel("loss", [new Series("loss of a batch", losses)]),
    new Panel("perplexity", [new Series("held-out text", perplexities)]) { IsLogarithmic = true },
    new Panel("gradient norm", [new Series("before clipping", norms)]))
    .Save(picture);
Console.WriteLine($"\nThe training curve is in {picture}");
return interruption.IsRequested || perplexities[^1].Value < 8 ? 0 : 1;

(Tensor Loss, RecurrentState State) Predict(Indices input, Indices target, RecurrentState? state)
{
    (Tensor hidden, RecurrentState next) = lstm.Forward(embedding.Forward(input), state);
    Tensor logits = head.Forward(hidden).Reshape(-1, text.Vocabulary.Count);
    return (Loss.CrossEntropy(logits, target.Values), next);
}

// e to the mean loss: among how many equally likely characters the model still hesitates.
double Perplexity()
{
    using var scope = new NoGrad();
    RecurrentState? state = null;
    List<float> parts = [];
    foreach ((Indices input, Indices target) in test.Streams(1, 256))
    {
        (Tensor loss, state) = Predict(input, target, state);
        parts.Add(loss.Item());
    }

    return Math.Exp(parts.Average());
}

string Write(string beginning, int length)
{
    using var scope = new NoGrad();
    Generator dice = Generator.Default.For("sample");
    List<int> written = [.. text.Vocabulary.Encode(beginning)];
    RecurrentState? state = null;
    for (int place = 0; place < length; place++)
    {
        (Tensor hidden, state) = lstm.Step(embedding.Forward(new Indices([written[place]], [1])), state);
        if (place + 1 == written.Count)
        {
            written.Add(dice.Choose((head.Forward(hidden) / 0.7f).Softmax().ToArray()));
        }
    }

    return text.Vocabulary.Decode([.. written]);
}
