using Minigrad.Autodiff;

namespace Minigrad.Layers;

/// <summary>
/// yₖ = Σᵢⱼ aᵢ · Wₖᵢⱼ · bⱼ + biasₖ for two inputs: <c>[…, first] × [out, first, second] × […, second] → […, out]</c>. Parameters
/// <c>weight</c> <c>[out, first, second]</c> and <c>bias</c> <c>[out]</c>.
/// </summary>
public sealed class Bilinear : Module
{
    /// <summary>A layer with PyTorch's default initialisation: weight and bias uniform within ±1/√first.</summary>
    /// <param name="firstSize">How many features the first input has, at least 1.</param>
    /// <param name="secondSize">How many features the second input has, at least 1.</param>
    /// <param name="outputSize">How many come out, at least 1.</param>
    /// <param name="hasBias">Whether a bias is added.</param>
    /// <param name="generator">Where the initial numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public Bilinear(int firstSize, int secondSize, int outputSize, bool hasBias = true, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(firstSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(secondSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputSize);
        Weight = Parameter("weight", Tensor.Zeros(outputSize, firstSize, secondSize));
        Initialize.FanInUniform(Weight, firstSize, generator);
        if (hasBias)
        {
            Bias = Parameter("bias", Tensor.Zeros(outputSize));
            Initialize.FanInUniform(Bias, firstSize, generator);
        }
    }

    /// <summary>W, <c>[out, first, second]</c>.</summary>
    public Tensor Weight { get; }

    /// <summary>The bias, <c>[out]</c>, or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Computes the output.</summary>
    /// <param name="first">a, <c>[…, first]</c>.</param>
    /// <param name="second">b, <c>[…, second]</c>, with the same leading dimensions.</param>
    /// <exception cref="ShapeException">A shape does not fit.</exception>
    public Tensor Forward(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        (int outputs, int a, int b) = (Weight.Shape[0], Weight.Shape[1], Weight.Shape[2]);
        bool fits = first.Rank > 0 && second.Rank == first.Rank && first.Shape[-1] == a && second.Shape[-1] == b
            && first.Shape.Dimensions[..^1].SequenceEqual(second.Shape.Dimensions[..^1]);
        if (!fits)
        {
            throw new ShapeException(
                $"In {this}: the inputs have shapes {first.Shape} and {second.Shape}, but […, {a}] and […, {b}] with the same leading dimensions are needed.");
        }

        using LayerScope scope = Enter();

        // Every aᵢ · Wₖᵢ is one product, [rows, first] × [first, out · second]; then bⱼ is summed over.
        Tensor rows = first.Reshape(-1, a).MatMul(Weight.Transpose(0, 1).Reshape(a, outputs * b));
        Tensor result = (rows.Reshape(-1, outputs, b) * second.Reshape(-1, 1, b)).Sum([-1]);
        result = Bias is null ? result : result + Bias;
        return result.Reshape([.. first.Shape.Dimensions[..^1], outputs]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"Bilinear({Weight.Shape[1]} × {Weight.Shape[2]} → {Weight.Shape[0]})";
}
