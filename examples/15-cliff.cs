#:project ../Minigrad
// What clipping is for, in one picture: dotnet run -c Release examples/15-cliff.cs
// The error of a network with one recurrent unit after 50 steps, over its weight w and its bias b. It has a cliff. Descent
// walks down to the cliff's foot; without clipping one step off it ends far away, where the ground is flat and nothing is
// learned any more. With clipping the same steps go on to the minimum. After Figure 6 of Pascanu, Mikolov and Bengio (2012,
// arXiv:1211.5063).
using Minigrad;
using Minigrad.Optimizers;
using Minigrad.Plots;

const int TimeSteps = 50;
const int Updates = 200;
const double Threshold = 0.3;
(double Low, double High) weights = (3.8, 6.4);
(double Low, double High) biases = (-3.4, -1.4);

Descent free = Descend(double.PositiveInfinity); // +∞ measures and never clips.
Descent clipped = Descend(Threshold);
Console.WriteLine($"clipping off: {free.Verdict}");
Console.WriteLine($"clipping on:  {clipped.Verdict}");

string picture = Path.Combine(Directory.GetCurrentDirectory(), "cliff.svg");
new PlaneChart($"The cliff: error of one recurrent unit after {TimeSteps} steps", weights, biases)
{
    Contours = new ContourMap("error", Surface(), [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32]),
    Paths = [new Series($"clipping off, to ({free.End.X:0}, {free.End.Y:0})", free.Path), new Series($"clipping at {Threshold}", clipped.Path)],
    HorizontalLabel = "w",
    VerticalLabel = "b",
}.Save(picture);
Console.WriteLine($"The cliff and both paths are in {picture}");

// Thrown out of the picture and stuck there, against steps off the same cliff that did no harm.
bool isThrown = free.LongestStep > weights.High - weights.Low && free is { LastError: > 0.05, LastNorm: < 1e-6 };
return isThrown && clipped is { LargestNorm: > 10 * Threshold, LastError: < 0.01 } ? 0 : 1;

// x₀ = ½, xₜ = w · σ(xₜ₋₁) + b; the error is (σ(x₅₀) − 0.7)². For one network, and for those of a grid all at once.
static Tensor Error(Tensor w, Tensor b)
{
    float first = 1 / (1 + MathF.Exp(-0.5f)); // σ(x₀)
    Tensor output = ((w * first) + b).Sigmoid();
    for (int step = 1; step < TimeSteps; step++)
    {
        output = ((w * output) + b).Sigmoid();
    }

    return (output - 0.7f).Square();
}

Descent Descend(double threshold)
{
    Tensor w = Tensor.Of([5.6f]).WithGradient("w");
    Tensor b = Tensor.Of([-2.5f]).WithGradient("b");
    var optimizer = new Sgd([w, b], learningRate: 0.2) { Clip = [Clip.GlobalNorm(threshold)] };
    Descent descent = new([(w.Item(), b.Item())], [], []);
    for (int update = 0; update < Updates; update++)
    {
        optimizer.ZeroGradients();
        Tensor error = Error(w, b);
        error.Backward();
        descent.Norms.Add(optimizer.Step().Norm);
        descent.Errors.Add(error.Item());
        descent.Path.Add((w.Item(), b.Item()));
    }

    return descent;
}

// The error at each point of a grid over the picture.
double[,] Surface()
{
    const int Rows = 241;
    const int Columns = 241;
    using var scope = new NoGrad();
    Tensor w = Tensor.Linspace((float)weights.Low, (float)weights.High, Columns);
    Tensor b = Tensor.Linspace((float)biases.Low, (float)biases.High, Rows);
    float[] errors = Error(w, b.Reshape(Rows, 1)).ToArray();
    var heights = new double[Rows, Columns];
    for (int i = 0; i < errors.Length; i++)
    {
        heights[i / Columns, i % Columns] = errors[i];
    }

    return heights;
}

/// <summary>A path over the surface, with the gradient's norm and the error at each step.</summary>
public sealed record Descent(List<(double X, double Y)> Path, List<double> Norms, List<double> Errors)
{
    /// <summary>Where it ends.</summary>
    public (double X, double Y) End => Path[^1];

    /// <summary>The mean error of the last twenty steps: at the cliff's foot it goes up and down.</summary>
    public double LastError => Errors.TakeLast(20).Average();

    public double LastNorm => Norms[^1];

    public double LargestNorm => Norms.Max();

    public double LongestStep => Path.Zip(Path.Skip(1), (from, to) => Math.Sqrt(Math.Pow(to.X - from.X, 2) + Math.Pow(to.Y - from.Y, 2))).Max();

    public string Verdict => $"largest gradient norm {LargestNorm:g3}, longest step {LongestStep:g3}, ends at ({End.X:0.00}, {End.Y:0.00}) with error {LastError:0.0000}";
}
