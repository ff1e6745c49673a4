using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

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
        ScaleAndShift(Standardize([-1], epsilon, out _, out _), weight, bias);

    /// <summary>
    /// Divides the last dimension by its root mean square, then scales it (Zhang and Sennrich, 2019, arXiv:1910.07467):
    /// x / √(mean(x²) + ε) · weight.
    /// </summary>
    /// <param name="weight">The scale, <c>[features]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    public Tensor RmsNorm(Tensor? weight = null, float epsilon = 1e-6f) =>
        ScaleAndShift(this * (Square().Mean([-1], keepDimensions: true) + epsilon).Rsqrt(), weight, null);

    /// <summary>
    /// Normalises each channel (dimension 1) over all others to mean 0 and variance 1, then scales and shifts it (Ioffe
    /// and Szegedy, 2015, arXiv:1502.03167), with the statistics of this batch.
    /// </summary>
    /// <param name="weight">The scale, <c>[channels]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[channels]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <returns>A tensor of this shape: <c>[batch, channels, …]</c>.</returns>
    /// <exception cref="ShapeException">There is no dimension 1.</exception>
    public Tensor BatchNorm(Tensor? weight = null, Tensor? bias = null, float epsilon = 1e-5f) =>
        BatchNorm(weight, bias, epsilon, out _, out _);

    /// <summary>As <see cref="BatchNorm(Tensor?, Tensor?, float)"/>, but with given statistics instead of this batch's.</summary>
    /// <param name="mean">The mean to subtract, <c>[channels]</c>.</param>
    /// <param name="variance">The variance to divide by, <c>[channels]</c>.</param>
    /// <param name="weight">The scale, <c>[channels]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[channels]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ShapeException">There is no dimension 1.</exception>
    public Tensor BatchNorm(Tensor mean, Tensor variance, Tensor? weight, Tensor? bias, float epsilon = 1e-5f)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(variance);
        CheckChannels();
        Tensor standardized = (this - AlongChannels(mean)!) * (AlongChannels(variance)! + epsilon).Rsqrt();
        return ScaleAndShift(standardized, AlongChannels(weight), AlongChannels(bias));
    }

    /// <summary>Batch normalisation that also gives the statistics of the batch, the variance not corrected for bias.</summary>
    internal Tensor BatchNorm(Tensor? weight, Tensor? bias, float epsilon, out Tensor mean, out Tensor variance)
    {
        CheckChannels();
        int[] others = [.. Enumerable.Range(0, Rank).Where(axis => axis != 1)];
        Tensor standardized = Standardize(others, epsilon, out mean, out variance);
        return ScaleAndShift(standardized, AlongChannels(weight), AlongChannels(bias));
    }

    /// <summary>The gradient of softmax or its logarithm from its output; not recorded.</summary>
    internal static Tensor SoftmaxBackward(Tensor y, Tensor gradient, bool logarithm)
    {
        Tensor result = Allocate(y.Shape, y.Backend);
        (int rows, int columns) = y.RowsAndColumns;
        y.Backend.SoftmaxBackward(y.Storage, gradient.Storage, rows, columns, logarithm, result.Storage);
        return result;
    }

    /// <summary>
    /// The cross-entropy of rows of logits, <c>[rows, classes]</c> or <c>[classes]</c>, with targets: of each row, or the
    /// sum of all divided by a number.
    /// </summary>
    internal static Tensor CrossEntropy(Tensor x, in ClassTargets targets, bool isSummed, float divisor)
    {
        (int rows, int columns) = x.RowsAndColumns;
        Storage normalizers = x.Backend.Allocate(2 * rows);
        Tensor losses = Allocate(x.Rank == 2 ? Shape.Create(rows) : Shape.Scalar, x.Backend);
        x.Backend.CrossEntropy(x.Storage, targets, columns, normalizers, losses.Storage);
        Tensor y = losses;
        if (isSummed)
        {
            y = Allocate(Shape.Scalar, x.Backend);
            x.Backend.Reduce(default(Sum), losses.Storage, new AxisLayout(1, rows, 1), y.Storage);
            x.Backend.Map(new WithSecond<Divide>(default, divisor), y.Storage, y.Storage);
            losses.Storage.Recycle();
        }

        if (IsRecorded(x))
        {
            return new CrossEntropyNode(x, normalizers, targets, divisor).Output(y);
        }

        targets.Labels.Release();
        normalizers.Recycle();
        return y;
    }

    /// <summary>The gradient of cross-entropy with respect to the logits; not recorded.</summary>
    internal static Tensor CrossEntropyBackward(
        Tensor x, Storage normalizers, in ClassTargets targets, Tensor gradient, float divisor)
    {
        Tensor result = Allocate(x.Shape, x.Backend);
        x.Backend.CrossEntropyBackward(
            x.Storage, normalizers, targets, x.Shape[-1], gradient.Storage, divisor, result.Storage);
        return result;
    }

    private (int Rows, int Columns) RowsAndColumns => Rank == 0 ? (1, 1) : (Shape.Product(0, Rank - 1), Shape[-1]);

    private static Tensor ScaleAndShift(Tensor x, Tensor? weight, Tensor? bias)
    {
        Tensor scaled = weight is null ? x : x * weight;
        return bias is null ? scaled : scaled + bias;
    }

    private void CheckChannels()
    {
        if (Rank < 2)
        {
            throw new ShapeException($"BatchNorm normalises dimension 1, the channels, but the tensor has shape {Shape}.");
        }
    }

    /// <summary>A number for each channel, in a shape that broadcasts along dimension 1.</summary>
    private Tensor? AlongChannels(Tensor? values) =>
        values?.Reshape([values.Length, .. Enumerable.Repeat(1, Rank - 2)]);

    private Tensor Standardize(ReadOnlySpan<int> axes, float epsilon, out Tensor mean, out Tensor variance)
    {
        mean = Mean(axes, keepDimensions: true);
        Tensor centred = this - mean;
        variance = centred.Square().Mean(axes, keepDimensions: true);
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
