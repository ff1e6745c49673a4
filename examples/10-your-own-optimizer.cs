#:project ../Minigrad
// Your own optimizer, with clipping for free: dotnet run -c Release examples/10-your-own-optimizer.cs
using Minigrad;
using Minigrad.Backends;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers;

Generator.Default = new Generator(seed: 1);
Tensor x = Tensor.Of(new float[,] { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } });
Tensor target = Tensor.Of([0, 1, 1, 0], 4, 1);
var model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
var optimizer = new Lion(model.Parameters, learningRate: 0.02) { Clip = [Clip.GlobalNorm(1)] };

Tensor loss = Tensor.Zeros();
for (int step = 1; step <= 400; step++)
{
    optimizer.LearningRate = 0.02 * (401 - step) / 400;
    optimizer.ZeroGradients();
    loss = Loss.MeanSquare(model.Forward(x), target);
    loss.Backward();
    StepReport report = optimizer.Step();
    if (step % 100 == 0)
    {
        Console.WriteLine($"step {step}: loss {loss.Item():0.000000}, gradient norm {report.Norm:0.0000}");
    }
}

Console.WriteLine($"exclusive or: {model.Forward(x).Reshape(-1).Detach()}");
return loss.Item() < 0.01f ? 0 : 1;

/// <summary>Lion (Chen et al., 2023, arXiv:2302.06675): the sign of an interpolated momentum.</summary>
public sealed class Lion(IEnumerable<Tensor> parameters, double learningRate)
    : Optimizer([new ParameterGroup(parameters)], learningRate)
{
    protected override int StateCount => 1;

    protected override void Update(UpdateStep step, ReadOnlySpan<UpdateTarget> targets) =>
        step.Apply(new LionRule((float)step.LearningRate, 0.9f, 0.99f), targets);
}

/// <summary>The update of one element. It runs over vectors on the CPU, and as a kernel on a GPU.</summary>
public readonly struct LionRule(float rate, float beta1, float beta2) : IUpdateRule
{
    private readonly float rate = rate, beta1 = beta1, beta2 = beta2;

    public int StateCount => 1;

    public void Update<T>(ref T parameter, T gradient, ref T momentum, ref T second, ref T third) where T : struct, IReal<T>
    {
        T direction = (beta1 * momentum) + ((1f - beta1) * gradient);
        parameter -= rate * T.Less(direction, 0f, -1f, T.Less(0f, direction, 1f, 0f));
        momentum = (beta2 * momentum) + ((1f - beta2) * gradient);
    }
}
