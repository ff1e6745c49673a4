#:project ../Minigrad
// Your own layers, one from parts and one recurrent from a formula: dotnet run -c Release examples/11-your-own-layer.cs
using Minigrad;
using Minigrad.Autodiff;
using Minigrad.Layers;
using Minigrad.Losses;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers;

Generator.Default = new Generator(seed: 1);
var model = new Reader(hiddenSize: 24);
Console.WriteLine(model.Summary(1, 12, 1) + "\n");

// Gradients of layers that nobody wrote a derivative for are checked as any other.
Tensor sample = Tensor.Normal([2, 4, 1]);
Console.WriteLine(GradientChecker.Check(inputs => model.Forward(inputs[0]), sample));

// The task: is the sum of twelve numbers positive?
var optimizer = new Adam(model.Parameters, learningRate: 0.01) { Clip = [Clip.GlobalNorm(1)] };
float loss = 0;
for (int step = 1; step <= 300; step++)
{
    (Tensor input, Tensor target) = Batch(64);
    optimizer.ZeroGradients();
    Tensor current = Loss.BinaryCrossEntropyWithLogits(model.Forward(input), target);
    current.Backward();
    optimizer.Step();
    loss = current.Item();
}

(Tensor testInput, Tensor testTarget) = Batch(1000);
float accuracy = model.Forward(testInput).Greater(0f).EqualTo(testTarget).Mean().Item();
Console.WriteLine($"last loss {loss:0.000}, accuracy on new sequences {100 * accuracy:0.0} %");
return accuracy > 0.9f ? 0 : 1;

(Tensor Input, Tensor Target) Batch(int size)
{
    Tensor input = Tensor.Normal([size, 12, 1]);
    return (input, input.Sum([1]).Greater(0f));
}

/// <summary>A gated block with a way around it: x + sigmoid(gate(x)) · tanh(value(x)).</summary>
public sealed class GatedBlock : Layer
{
    private readonly Linear gate, value;

    public GatedBlock(int size)
    {
        gate = Child("gate", new Linear(size, size));
        value = Child("value", new Linear(size, size));
    }

    protected override Tensor Compute(Tensor input) => input + (gate.Forward(input).Sigmoid() * value.Forward(input).Tanh());
}

/// <summary>A sequence read by a recurrent cell of our own, its last output through the block above.</summary>
public sealed class Reader : Layer
{
    private readonly Recurrent<LeakyCell> memory;
    private readonly GatedBlock block;
    private readonly Linear head;

    public Reader(int hiddenSize)
    {
        memory = Child("memory", new Recurrent<LeakyCell>(new LeakyCell(0.2f), inputSize: 1, hiddenSize));
        block = Child("block", new GatedBlock(hiddenSize));
        head = Child("head", new Linear(hiddenSize, 1));
    }

    protected override Tensor Compute(Tensor input) => head.Forward(block.Forward(memory.Forward(input)[.., ^1]));
}

/// <summary>A leaky unit, h′ = (1 − α) · h + α · tanh(x + u) (Jaeger et al., 2007), and its way back.</summary>
public readonly struct LeakyCell(float rate) : IRecurrentCell
{
    private readonly float rate = rate;

    public int GateCount => 1;

    public int SavedCount => 1;

    public bool HasState => false;

    public bool SeparatesRecurrent => false;

    public void Forward<T>(Gates<T> input, Gates<T> recurrent, ref T hidden, ref T state, out Gates<T> saved)
        where T : struct, IReal<T>
    {
        T y = T.Tanh(input.First + recurrent.First);
        hidden = ((1f - rate) * hidden) + (rate * y);
        saved = new Gates<T>(y);
    }

    public void Backward<T>(
        Gates<T> saved, T hidden, T state, ref T hiddenGradient, ref T stateGradient, out Gates<T> input, out Gates<T> recurrent)
        where T : struct, IReal<T>
    {
        input = new Gates<T>(rate * hiddenGradient * (1f - (saved.First * saved.First)));
        recurrent = input;
        hiddenGradient = (1f - rate) * hiddenGradient;
    }
}
