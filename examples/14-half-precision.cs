#:project ../Minigrad
// Half precision, and what loss scaling is for: dotnet run -c Release examples/14-half-precision.cs
using Minigrad;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Optimizers;

const int Steps = 600;
const float Millimetre = 1e-3f;

// A surface a few millimetres high, measured in metres. The gradients of so small an error are below 6·10⁻⁸, the least
// number that half precision has: they become 0, and the network learns nothing. A scale on the loss lifts them up.
Console.WriteLine($"{"",-28} {"loss (mm²)",10}   gradients that are 0 at first, scale and skipped steps at last");
double single = Train("float32", Precision.Full, null);
double vanished = Train("half", Precision.Half, null);
double rescued = Train("half, dynamic loss scaling", Precision.Half, LossScaling.Dynamic());
double searched = Train("half, from too large a scale", Precision.Half, LossScaling.Dynamic(initial: 1L << 44, maximum: 1L << 44));
double wide = Train("bfloat16", Precision.BFloat16, null);

Console.WriteLine($"\nHalf precision alone ends at {vanished / single:0} times float32's loss, and with loss scaling {100 * Math.Abs(rescued / single - 1):0.0} % beside it.");
return vanished > 5 * single && Math.Abs(rescued / single - 1) < 0.02 && Math.Abs(searched / single - 1) < 0.02 ? 0 : 1;

static double Train(string name, Precision precision, LossScaling? scaling)
{
    var generator = new Generator(seed: 1);
    Tensor place = Tensor.Uniform([512, 2], -1, 1, generator);
    Tensor height = (3f * place[.., 0..1]).Sin() * (2f * place[.., 1..2]).Cos() + Tensor.Normal([512, 1], 0, 0.1f, generator);
    Tensor target = Millimetre * height;

    var model = new Sequential(
        new Linear(2, 16, generator: generator), new Tanh(),
        new Linear(16, 16, generator: generator), new Tanh(),
        new Linear(16, 1, generator: generator));

    // Adam's usual ε, 10⁻⁸, would be larger than these gradients.
    var optimizer = new Adam(model.Parameters, learningRate: 0.01, epsilon: 1e-12) { LossScaling = scaling };

    double zeros = 0, loss = 0;
    for (int step = 0; step < Steps; step++)
    {
        optimizer.LearningRate = 0.01 * (Steps - step) / Steps;
        optimizer.ZeroGradients();
        Tensor output;
        using (new EmulatedPrecision(precision))
        {
            output = Millimetre * model.Forward(place);
        }

        // The loss is float32, as are the weights that the optimizer keeps; forward and backward between are not.
        Tensor error = Loss.MeanSquare(output, target);
        optimizer.Scale(error).Backward();
        zeros = step == 0 ? ShareOfZeros(model.Parameters) : zeros;
        optimizer.Step();
        loss = error.Item() / (Millimetre * Millimetre);
    }

    Console.WriteLine($"{name,-28} {loss,10:0.00000}   {100 * zeros,3:0} %, {optimizer.LossScale:g6}, {optimizer.SkippedSteps}");
    return loss;
}

static double ShareOfZeros(IReadOnlyList<Tensor> parameters) =>
    parameters.SelectMany(parameter => parameter.Gradient!.ToArray()).Average(value => value == 0 ? 1.0 : 0.0);
