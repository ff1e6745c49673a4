#:project ../Minigrad
// A network parts three spirals, and its regions are drawn: dotnet run -c Release examples/05-spirals.cs
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Arms = 3;
const int Steps = 1500;

Generator.Default = new Generator(seed: 1);
LabeledData data = ToyData.Spirals(600, Arms, noise: 0.02f);
var model = new Sequential(new Linear(2, 48), new Tanh(), new Linear(48, 48), new Tanh(), new Linear(48, Arms));
var optimizer = new Adam(model.Parameters) { Clip = [Clip.GlobalNorm(1)] };
var rate = new Scheduler(Schedule.Cosine(1e-2, Steps), value => optimizer.LearningRate = value);

for (int step = 1; step <= Steps; step++)
{
    optimizer.ZeroGradients();
    Tensor loss = Loss.CrossEntropy(model.Forward(data.Features), data.Labels);
    loss.Backward();
    optimizer.Step();
    rate.Step();
    if (step % 300 == 0)
    {
        Console.WriteLine($"step {step,4}  loss {loss.Item():0.0000}  right {100 * Accuracy():0.0} %");
    }
}

string picture = Path.Combine(Directory.GetCurrentDirectory(), "spirals.svg");
new PlaneChart("What a network makes of three spirals", (-1.15, 1.15), (-1.15, 1.15))
{
    Shade = Region,
    Points = [.. Enumerable.Range(0, Arms).Select(arm => new Series($"arm {arm}", Points(arm)))],
}.Save(picture);
Console.WriteLine($"The regions are in {picture}");
return Accuracy() > 0.97 ? 0 : 1;

// The likeliest class at a point, the more opaque the surer the network is.
(int Colour, double Opacity) Region(double x, double y)
{
    using var scope = new NoGrad();
    float[] likely = model.Forward(Tensor.Of([(float)x, (float)y], 1, 2)).Softmax().ToArray();
    int arm = Array.IndexOf(likely, likely.Max());
    return (arm, 0.45 * ((likely[arm] * Arms) - 1) / (Arms - 1));
}

List<(double X, double Y)> Points(int arm) =>
    [.. Enumerable.Range(0, data.Count).Where(row => data.Labels[row] == arm).Select(row => ((double)data.Features[row, 0].Item(), (double)data.Features[row, 1].Item()))];

double Accuracy()
{
    using var scope = new NoGrad();
    return model.Forward(data.Features).ArgMax().Values.Zip(data.Labels, (guess, label) => guess == label).Average(right => right ? 1.0 : 0.0);
}
