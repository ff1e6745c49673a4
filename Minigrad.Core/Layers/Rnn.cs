using Minigrad.Autodiff;
using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// The plain recurrent network, h′ = f(x · Wᵀ + b + h · Uᵀ + d) with f = tanh or relu (Elman, 1990):
/// <c>[batch, time, in] → [batch, time, hidden]</c>. Its gradients vanish or explode over long sequences (Pascanu, Mikolov
/// and Bengio, 2012, arXiv:1211.5063): clip them, or use an <see cref="Lstm"/> or <see cref="Gru"/>.
/// </summary>
public sealed class Rnn : RecurrentLayer
{
    private readonly bool isRectified;

    /// <summary>A layer with PyTorch's default initialisation: all parameters uniform within ±1/√hidden.</summary>
    /// <param name="inputSize">How many features a step has, at least 1.</param>
    /// <param name="hiddenSize">How many hidden values, at least 1.</param>
    /// <param name="options">Layers, directions, dropout and the like; the defaults if null.</param>
    /// <param name="activation">f: <see cref="Activation.Tanh"/> or <see cref="Activation.Relu"/>.</param>
    /// <exception cref="ArgumentException">A size or an option is out of its range, or the activation is another.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Rnn(int inputSize, int hiddenSize, RecurrentOptions? options = null, Activation activation = Activation.Tanh)
        : base(default(ElmanCell<HyperbolicTangent>), inputSize, hiddenSize, options)
    {
        isRectified = activation switch
        {
            Activation.Tanh => false,
            Activation.Relu => true,
            _ => throw new ArgumentException(
                $"Rnn: its activation is Tanh or Relu, but {activation} was given. For another, use new Recurrent<ElmanCell<YourActivation>>(…).", nameof(activation)),
        };
    }

    private protected override (Tensor Output, Tensor LastHidden, Tensor? LastState) Scan(PackedSteps steps, SequenceInputs inputs) =>
        isRectified
            ? SequenceNode<ElmanCell<Rectifier>>.Run(default, steps, inputs)
            : SequenceNode<ElmanCell<HyperbolicTangent>>.Run(default, steps, inputs);
}
