using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad;

/// <content>Softmax and normalisation.</content>
public sealed partial class Tensor
{
    /// <summary>eˣ / Σ eˣ along an axis, without overflow.</summary>
    /// <param name="axis">The axis.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor Softmax(int axis = -1) => SoftmaxAlong(axis, logarithm: false);

    /// <summary>x − ln Σ eˣ along an axis: the logarithm of the softmax, without overflow or underflow.</summary>
    /// <param name="axis">The axis.</param>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Tensor LogSoftmax(int axis = -1) => SoftmaxAlong(axis, logarithm: true);

    /// <summary>
    /// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it (Ba, Kiros and Hinton, 2016,
    /// arXiv:1607.06450): (x − mean) / √(variance + ε) · weight + bias.
    /// </summary>
    /// <param name="weight">The scale, <c>[features]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[features]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentOutOfRangeException">ε is negative or not finite.</exception>
    /// <exception cref="ShapeException">The tensor is a scalar, or weight or bias is not <c>[features]</c>.</exception>
    public Tensor LayerNorm(Tensor? weight = null, Tensor? bias = null, float epsilon = 1e-5f) =>
        NormalizeRows(nameof(LayerNorm), weight, bias, isCentred: true, epsilon);

    /// <summary>
    /// Divides the last dimension by its root mean square, then scales it (Zhang and Sennrich, 2019, arXiv:1910.07467):
    /// x / √(mean(x²) + ε) · weight.
    /// </summary>
    /// <param name="weight">The scale, <c>[features]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentOutOfRangeException">ε is negative or not finite.</exception>
    /// <exception cref="ShapeException">The tensor is a scalar, or the weight is not <c>[features]</c>.</exception>
    public Tensor RmsNorm(Tensor? weight = null, float epsilon = 1e-6f) =>
        NormalizeRows(nameof(RmsNorm), weight, null, isCentred: false, epsilon);

    /// <summary>
    /// Normalises each channel (dimension 1) over all others to mean 0 and variance 1, then scales and shifts it (Ioffe
    /// and Szegedy, 2015, arXiv:1502.03167), with the statistics of this batch.
    /// </summary>
    /// <param name="weight">The scale, <c>[channels]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[channels]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <returns>A tensor of this shape: <c>[batch, channels, …]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">ε is negative or not finite.</exception>
    /// <exception cref="ShapeException">There is no dimension 1, or weight or bias is not <c>[channels]</c>.</exception>
    public Tensor BatchNorm(Tensor? weight = null, Tensor? bias = null, float epsilon = 1e-5f)
    {
        NormalizationShape shape = Channels(isCentred: true, epsilon);
        return Normalize(nameof(BatchNorm), shape, weight, bias, Statistics(shape), isOwner: true);
    }

    /// <summary>As <see cref="BatchNorm(Tensor?, Tensor?, float)"/>, but with given statistics instead of this batch's.</summary>
    /// <param name="mean">The mean to subtract, <c>[channels]</c>.</param>
    /// <param name="variance">The variance to divide by, <c>[channels]</c>.</param>
    /// <param name="weight">The scale, <c>[channels]</c>, or null.</param>
    /// <param name="bias">The shift, <c>[channels]</c>, or null.</param>
    /// <param name="epsilon">ε.</param>
    /// <exception cref="ArgumentOutOfRangeException">ε is negative or not finite.</exception>
    /// <exception cref="ShapeException">There is no dimension 1, or a tensor given is not <c>[channels]</c>.</exception>
    public Tensor BatchNorm(Tensor mean, Tensor variance, Tensor? weight, Tensor? bias, float epsilon = 1e-5f)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(variance);
        NormalizationShape shape = Channels(isCentred: true, epsilon);
        CheckWeights(nameof(BatchNorm), shape, mean, "mean");
        CheckWeights(nameof(BatchNorm), shape, variance, "variance");
        CheckWeights(nameof(BatchNorm), shape, weight, "weight");
        CheckWeights(nameof(BatchNorm), shape, bias, "bias");
        bool asks = RequiresGradient || mean.RequiresGradient || variance.RequiresGradient
            || weight is { RequiresGradient: true } || bias is { RequiresGradient: true };
        if (!Recording.IsOn || !asks)
        {
            Tensor result = Allocate(Shape, Backend);
            using (Recording.Untraced())
            {
                Loops.Normalize(shape, Storage, Concatenate([mean, variance]).Storage, weight?.Storage, bias?.Storage, result.Storage);
            }

            return Constant(nameof(BatchNorm), result, this, mean, variance, weight ?? mean, bias ?? mean);
        }

        StandardizedGroup<Traced> group = new(new(AlongChannels(mean)), new(AlongChannels(variance)), epsilon);
        Traced y = group.Output(new(this), weight is null ? 1f : new Traced(AlongChannels(weight)), bias is null ? 0f : new Traced(AlongChannels(bias)));
        return y.ToTensor(this);
    }

    /// <summary>Batch normalisation that also gives the statistics of the batch, the variance not corrected for bias.</summary>
    internal Tensor BatchNorm(Tensor? weight, Tensor? bias, float epsilon, out Tensor mean, out Tensor variance)
    {
        NormalizationShape shape = Channels(isCentred: true, epsilon);
        Tensor statistics = new(Shape.Create(2, shape.Groups), Statistics(shape));
        using (Recording.Untraced())
        {
            mean = statistics.Detach().Select(0, 0);
            variance = statistics.Detach().Select(0, 1);
        }

        mean = Constant(nameof(BatchNorm), mean, this);
        variance = Constant(nameof(BatchNorm), variance, this);
        return Normalize(nameof(BatchNorm), shape, weight, bias, statistics.Storage, isOwner: false);
    }

    /// <summary>
    /// The groups <c>[outer, groups, inner]</c> of a tensor in primitive operations: what the fused normalisation runs where its
    /// gradient is differentiated again, and its oracle in the tests.
    /// </summary>
    internal static StandardizedGroup<Traced> Standardized(Tensor groups, bool isCentred, float epsilon)
    {
        Tensor? mean = isCentred ? groups.Mean([0, 2], keepDimensions: true) : null;
        Tensor variance = (mean is null ? groups : groups - mean).Square().Mean([0, 2], keepDimensions: true);
        return new(mean is null ? 0f : new Traced(mean), new(variance), epsilon);
    }

    /// <summary>The gradient of softmax or its logarithm from its output; not recorded.</summary>
    internal static Tensor SoftmaxBackward(Tensor y, Tensor gradient, int axis, bool logarithm)
    {
        Tensor result = Allocate(y.Shape, y.Backend);
        y.Loops.SoftmaxBackward(y.Storage, gradient.Storage, y.Shape.Around(axis), logarithm, result.Storage);
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
        x.Loops.CrossEntropy(x.Storage, targets, columns, normalizers, losses.Storage);
        Tensor y = losses;
        if (isSummed)
        {
            y = Allocate(Shape.Scalar, x.Backend);
            x.Loops.Reduce(default(Sum), losses.Storage, new AxisLayout(1, rows, 1), y.Storage);
            x.Loops.Map(new ByNumber<Divide>(default, divisor), y.Storage, y.Storage);
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
        x.Loops.CrossEntropyBackward(
            x.Storage, normalizers, targets, x.Shape[-1], gradient.Storage, divisor, result.Storage);
        return result;
    }

    private (int Rows, int Columns) RowsAndColumns => Rank == 0 ? (1, 1) : (Shape.Product(0, Rank - 1), Shape[-1]);

    /// <summary>A number for each channel, in a shape that broadcasts along dimension 1.</summary>
    private Tensor AlongChannels(Tensor values) => values.Reshape([values.Length, .. Enumerable.Repeat(1, Rank - 2)]);

    private NormalizationShape Channels(bool isCentred, float epsilon) => Rank >= 2
        ? new(Shape[0], Shape[1], Shape.Product(2, Rank)) { IsWeightPerGroup = true, IsCentred = isCentred, Epsilon = NormalizationShape.CheckedEpsilon(epsilon, nameof(BatchNorm)) }
        : throw new ShapeException($"BatchNorm normalises dimension 1, the channels, but the tensor has shape {Shape}.");

    private Tensor NormalizeRows(string operation, Tensor? weight, Tensor? bias, bool isCentred, float epsilon)
    {
        if (Rank == 0)
        {
            throw new ShapeException($"{operation} normalises the last dimension, but the tensor is a scalar.");
        }

        (int rows, int columns) = RowsAndColumns;
        NormalizationShape shape = new(1, rows, columns) { IsCentred = isCentred, Epsilon = NormalizationShape.CheckedEpsilon(epsilon, operation) };
        return Normalize(operation, shape, weight, bias, Statistics(shape), isOwner: true);
    }

    private Storage Statistics(in NormalizationShape shape)
    {
        Storage statistics = Backend.Allocate(2 * shape.Groups);
        Loops.GroupStatistics(shape, Storage, statistics);
        return statistics;
    }

    /// <summary>Normalises by statistics of this tensor, which nobody else holds if this is to be their owner.</summary>
    private Tensor Normalize(
        string operation, in NormalizationShape shape, Tensor? weight, Tensor? bias, Storage statistics, bool isOwner)
    {
        CheckWeights(operation, shape, weight, "weight");
        CheckWeights(operation, shape, bias, "bias");
        Tensor y = Allocate(Shape, Backend);
        Loops.Normalize(shape, Storage, statistics, weight?.Storage, bias?.Storage, y.Storage);
        if (IsRecorded(this, weight ?? this) || IsRecorded(bias ?? this))
        {
            return new NormalizationNode(operation, shape, this, weight, bias, statistics, isOwner).Output(y);
        }

        if (isOwner)
        {
            statistics.Recycle();
        }

        return y;
    }

    private void CheckWeights(string operation, in NormalizationShape shape, Tensor? values, string name)
    {
        if (values is null)
        {
            return;
        }

        CommonBackend(this, values, operation);
        if (values.Rank != 1 || values.Length != shape.WeightCount)
        {
            throw new ShapeException(
                $"{operation}: the {name} has shape {values.Shape}, but the tensor's shape {Shape} needs {Shape.Create(shape.WeightCount)}: one number for each {(shape.IsWeightPerGroup ? "channel, dimension 1" : "place of the last dimension")}.");
        }
    }

    private Tensor SoftmaxAlong(int axis, bool logarithm)
    {
        string operation = logarithm ? nameof(LogSoftmax) : nameof(Softmax);
        int place = Shape.Axis(axis, operation);
        Tensor y = Allocate(Shape, Backend);
        Loops.Softmax(Storage, Shape.Around(place), logarithm, y.Storage);
        return IsRecorded(this) ? new SoftmaxNode(this, place, logarithm).SaveOutput(y) : y;
    }
}
