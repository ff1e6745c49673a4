using Minigrad.Autodiff;
using Minigrad.Operations;

namespace Minigrad.Layers;

/// <summary>
/// A fully connected layer, y = x · Wᵀ + b: <c>[…, in] × [out, in] + [out] → […, out]</c>. Parameters: <c>weight</c>
/// <c>[out, in]</c> and <c>bias</c> <c>[out]</c>.
/// </summary>
public sealed class Linear : Layer
{
    /// <summary>A layer with PyTorch's default initialisation: weight and bias uniform within ±1/√in.</summary>
    /// <param name="inputSize">How many features go in, at least 1.</param>
    /// <param name="outputSize">How many come out, at least 1.</param>
    /// <param name="hasBias">Whether a bias is added.</param>
    /// <param name="generator">Where the initial numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Linear(int inputSize, int outputSize, bool hasBias = true, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputSize);
        Weight = Parameter("weight", Tensor.Zeros(outputSize, inputSize));
        Initialize.FanInUniform(Weight, inputSize, generator);
        if (hasBias)
        {
            Bias = Parameter("bias", Tensor.Zeros(outputSize));
            Initialize.FanInUniform(Bias, inputSize, generator);
        }
    }

    /// <summary>W, <c>[out, in]</c>.</summary>
    public Tensor Weight { get; }

    /// <summary>b, <c>[out]</c>, or null.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    public override string ToString() => $"Linear({Weight.Shape[1]} → {Weight.Shape[0]})";

    /// <summary>The output and an activation of it in one pass; errors name this layer as those of <see cref="Layer.Forward"/> do.</summary>
    internal Tensor Forward<TActivation>(Tensor input, TActivation activation)
        where TActivation : unmanaged, IOutputSlope
    {
        using LayerScope scope = Enter();
        try
        {
            CheckInput(input);
            return input.Linear(Weight, Bias, activation);
        }
        catch (ShapeException exception)
        {
            throw WithPath(exception);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        CheckInput(input);
        return input.Linear(Weight, Bias);
    }

    private void CheckInput(Tensor input)
    {
        int expected = Weight.Shape[1];
        if (input.Rank == 0 || input.Shape[-1] != expected)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, but its last dimension must be {expected}, the layer's input size. "
                + (input.Rank > 1 && input.Shape.Product(1, input.Rank) == expected
                    ? "Flatten(1) would make it so."
                    : $"Change the layer to new Linear({(input.Rank == 0 ? expected : input.Shape[-1])}, {Weight.Shape[0]}), or reshape the input."));
        }
    }
}
