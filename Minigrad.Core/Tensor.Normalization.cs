using Minigrad.Autodiff;

namespace Minigrad;

/// <content>Softmax and normalisation.</content>
public sealed partial class Tensor
{
    /// <summary>eˣ / Σ eˣ along an axis, without overflow.</summary>
    /// <param name="axis">The axis.</param>
    public Tensor Softmax(int axis = -1) => SoftmaxAlong(axis, logarithm: false);

    /// <summary>x − ln Σ eˣ along an axis: the logarithm of the softmax, without overflow or underflow.</summary>
    /// <param name="axis">The axis.</param>
    public Tensor LogSoftmax(int axis = -1) => SoftmaxAlong(axis, logarithm: true);

    /// <summary>
    /// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it (Ba, Kiros and Hinton, 2016,
    /// arXiv:1607.06450): (x − mean) / √(variance + ε) · weight + bias.
    /// </summary>
    /// <param name="weight">The scale, <c>[features]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[features]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    public Tensor LayerNorm(Tensor? weight = null, Tensor? bias = null, float epsilon = 1e-5f) =>
        ScaleAndShift(Standardize([-1], epsilon), weight, bias);

    /// <summary>
    /// Normalises each channel (dimension 1) over all others to mean 0 and variance 1, then scales and shifts it (Ioffe
    /// and Szegedy, 2015, arXiv:1502.03167), with the statistics of this batch.
    /// </summary>
    /// <param name="weight">The scale, <c>[channels]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[channels]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <returns>A tensor of this shape: <c>[batch, channels, …]</c>.</returns>
    /// <exception cref="ShapeException">There is no dimension 1.</exception>
    public Tensor BatchNorm(Tensor? weight = null, Tensor? bias = null, float epsilon = 1e-5f)
    {
        if (Rank < 2)
        {
            throw new ShapeException($"BatchNorm normalises dimension 1, the channels, but the tensor has shape {Shape}.");
        }

        int[] others = [.. Enumerable.Range(0, Rank).Where(axis => axis != 1)];
        int[] channel = [.. Enumerable.Repeat(1, Rank - 2)];
        return ScaleAndShift(
            Standardize(others, epsilon),
            weight?.Reshape([weight.Length, .. channel]),
            bias?.Reshape([bias.Length, .. channel]));
    }

    /// <summary>The gradient of softmax or its logarithm from its output; not recorded.</summary>
    internal static Tensor SoftmaxBackward(Tensor y, Tensor gradient, bool logarithm)
    {
        Tensor result = Allocate(y.Shape, y.Backend);
        (int rows, int columns) = y.RowsAndColumns;
        y.Backend.SoftmaxBackward(y.Storage, gradient.Storage, rows, columns, logarithm, result.Storage);
        return result;
    }

    private (int Rows, int Columns) RowsAndColumns => Rank == 0 ? (1, 1) : (Shape.Product(0, Rank - 1), Shape[-1]);

    private static Tensor ScaleAndShift(Tensor x, Tensor? weight, Tensor? bias)
    {
        Tensor scaled = weight is null ? x : x * weight;
        return bias is null ? scaled : scaled + bias;
    }

    private Tensor Standardize(ReadOnlySpan<int> axes, float epsilon)
    {
        Tensor centred = this - Mean(axes, keepDimensions: true);
        Tensor variance = centred.Square().Mean(axes, keepDimensions: true);
        return centred * (variance + epsilon).Rsqrt();
    }

    private Tensor SoftmaxAlong(int axis, bool logarithm)
    {
        string operation = logarithm ? nameof(LogSoftmax) : nameof(Softmax);
        int place = Shape.Axis(axis, operation);
        if (Rank > 0 && place != Rank - 1)
        {
            return Transpose(place, -1).SoftmaxAlong(-1, logarithm).Transpose(place, -1);
        }

        Tensor y = Allocate(Shape, Backend);
        (int rows, int columns) = RowsAndColumns;
        Backend.Softmax(Storage, rows, columns, logarithm, y.Storage);
        return IsRecorded(this) ? new SoftmaxNode(this, logarithm).SaveOutput(y) : y;
    }
}
