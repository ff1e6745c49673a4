#:project ../Minigrad
// A GRU hears a noisy sine wave and sings on: dotnet run -c Release examples/06-sine.cs
using Minigrad;
using Minigrad.Data;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Heard = 400;
const int Sung = 120;
const double Period = 25;

Generator.Default = new Generator(seed: 1);
float[] wave = ToyData.NoisySine(Heard, Period, noise: 0.05f);
PairedData windows = TimeSeries.Windows(wave, length: 50);

var gru = new Gru(1, 24);
var head = new Linear(24, 1);
var optimizer = new Adam([.. gru.Parameters, .. head.Parameters], learningRate: 1e-2) { Clip = [Clip.GlobalNorm(1)] };
for (int epoch = 1; epoch <= 20; epoch++)
{
    double sum = 0;
    var loader = new Loader<PairedData>(windows, 32, Generator.Default);
    foreach ((Tensor input, Tensor target) in loader)
    {
        optimizer.ZeroGradients();
        Tensor loss = Loss.MeanSquare(head.Forward(gru.Forward(input)[.., ^1]), target[.., 0]);
        loss.Backward();
        optimizer.Step();
        sum += loss.Item();
    }

    if (epoch % 5 == 0)
    {
        Console.WriteLine($"epoch {epoch,2}  mean square error {sum / loader.BatchCount:0.0000}");
    }
}

// Hear the end of the wave, then sing: each value that it gives is the next that it hears.
List<(double Time, double Value)> song = [];
using (new NoGrad())
{
    (Tensor heard, RecurrentState state) = gru.Forward(Tensor.Of(wave.AsSpan(Heard - 100), 1, 100, 1), null);
    Tensor hidden = heard[.., ^1];
    for (int step = 0; step < Sung; step++)
    {
        Tensor next = head.Forward(hidden);
        song.Add((Heard + step, next.Item()));
        (hidden, state) = gru.Step(next, state);
    }
}

double error = song.Average(point => Math.Pow(point.Value - Math.Sin(2 * Math.PI * point.Time / Period), 2));
Console.WriteLine($"{Sung} steps sung alone, mean square error {error:0.000} (silence: 0.5)");
string picture = Path.Combine(Directory.GetCurrentDirectory(), "sine.svg");
new LineChart("A GRU continues a sine wave", "time", new Panel("value",
[
    new Series("heard", [.. Enumerable.Range(Heard - 100, 100).Select(time => ((double)time, (double)wave[time]))]),
    new Series("sung alone", song),
    new Series("the true wave", [.. song.Select(point => (point.Time, Math.Sin(2 * Math.PI * point.Time / Period)))]),
])).Save(picture);
Console.WriteLine($"The picture is in {picture}");
return error < 0.15 ? 0 : 1;
