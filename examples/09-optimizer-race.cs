#:project ../Minigrad
// Optimizers race through a banana-shaped valley: dotnet run -c Release examples/09-optimizer-race.cs
using Minigrad;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int Steps = 2000;

// Rosenbrock's function (1960): easy to enter the valley, hard to follow it to the minimum at (1, 1).
(string Name, Func<Tensor, Optimizer> Create)[] racers =
[
    ("SGD", p => new Sgd([p], learningRate: 1e-3) { Clip = [Clip.GlobalNorm(50)] }),
    ("momentum", p => new Sgd([p], learningRate: 1e-3, momentum: 0.9) { Clip = [Clip.GlobalNorm(10)] }),
    ("RMSProp", p => new RmsProp([p], learningRate: 5e-3)),
    ("Adam", p => new Adam([p], learningRate: 2e-2)),
    ("Adagrad", p => new Adagrad([p], learningRate: 0.5)),
    ("NAdam", p => new NAdam([p], learningRate: 2e-2)),
];

List<Series> paths = [];
foreach ((string name, Func<Tensor, Optimizer> create) in racers)
{
    Tensor point = Tensor.Of([-1.2f, 1f]).WithGradient("point");
    Optimizer optimizer = create(point);
    List<(double X, double Y)> path = [(point[0].Item(), point[1].Item())];
    for (int step = 0; step < Steps; step++)
    {
        optimizer.ZeroGradients();
        Height(point).Backward();
        optimizer.Step();
        path.Add((point[0].Item(), point[1].Item()));
    }

    paths.Add(new Series(name, path));
    Console.WriteLine($"{name,-9} after {Steps} steps at ({path[^1].X:0.000}, {path[^1].Y:0.000}), height {Height(point).Item():e2}");
}

string picture = Path.Combine(Directory.GetCurrentDirectory(), "optimizer-race.svg");
new PlaneChart("Six optimizers in Rosenbrock's valley", (-1.6, 1.6), (-0.4, 1.8))
{
    // Bands of equal height, darker uphill.
    Shade = (x, y) => (5, 0.08 * Math.Floor(2 + Math.Log10(1e-2 + Math.Pow(1 - x, 2) + (100 * Math.Pow(y - (x * x), 2))))),
    Paths = paths,
}.Save(picture);
Console.WriteLine($"Their paths are in {picture}");
return 0;

// (1 − x)² + 100 · (y − x²)²
static Tensor Height(Tensor p) => (1f - p[0]).Square() + (100f * (p[1] - p[0].Square()).Square());
