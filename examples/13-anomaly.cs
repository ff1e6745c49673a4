#:project ../Minigrad.Core
// Where did that NaN come from? dotnet run -c Release examples/13-anomaly.cs
using Minigrad;
using Minigrad.Layers;
using Minigrad.Losses;

Generator.Default = new Generator(2);
var model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
Tensor x = Tensor.Normal([64, 2], standardDeviation: 3);
Tensor target = Tensor.Zeros(64, 1);

// The logarithm of a prediction, which nothing keeps above 0: a mistake that many make.
Tensor Compute() => Loss.MeanSquare(model.Forward(x).Log(), target);
Console.WriteLine($"loss = {Compute().Item()}");

// On request: computed once more, traced. Nothing had to be switched on before.
AnomalyReport? report = Anomaly.Find(Compute);
Console.WriteLine(report);

// Or traced from the start: backward throws instead of filling the gradients with NaN.
try
{
    using (Anomaly.Trace())
    {
        Compute().Backward();
    }
}
catch (AnomalyException exception)
{
    Console.WriteLine(exception.Message);
}

// A gradient can be bad although the loss is not: √x is 0 at 0, but its slope there is infinite.
Tensor distance = Tensor.Zeros(3).WithGradient("distance");
AnomalyReport? slope = Anomaly.Find(() => distance.Sqrt().Sum());
Console.WriteLine(slope);
return report?.First is { Operation: "Logarithm", Line: > 0 } && slope is { First.IsBackward: true } ? 0 : 1;
