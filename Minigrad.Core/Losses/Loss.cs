using Minigrad.Autodiff;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Losses;

/// <summary>
/// Loss functions, with PyTorch's meaning and defaults. Each is differentiable with respect to its input, and, where it
/// is a tensor, its target.
/// </summary>
public static class Loss
{
    private const int NoIndex = -100;

    /// <summary>Mean square error: (x − t)².</summary>
    /// <param name="input">x.</param>
    /// <param name="target">t, of the same shape.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static Tensor MeanSquare(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Elementwise(input, target, default(SquaredError), reduction, nameof(MeanSquare));

    /// <summary>Mean absolute error, L1: |x − t|.</summary>
    /// <param name="input">x.</param>
    /// <param name="target">t, of the same shape.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static Tensor MeanAbsolute(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Elementwise(input, target, default(AbsoluteError), reduction, nameof(MeanAbsolute));

    /// <summary>With d = x − t: ½ d² for |d| ≤ δ, δ · (|d| − ½ δ) elsewhere (Huber, 1964).</summary>
    /// <param name="input">x.</param>
    /// <param name="target">t, of the same shape.</param>
    /// <param name="delta">δ, positive.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">δ is not positive.</exception>
    public static Tensor Huber(Tensor input, Tensor target, float delta = 1f, Reduction reduction = Reduction.Mean)
    {
        if (!(delta > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "Loss.Huber: delta is where the parabola becomes a line and must be positive.");
        }

        return Elementwise(input, target, new HuberError(delta), reduction, nameof(Huber));
    }

    /// <summary>With d = x − t: ½ d² / β for |d| &lt; β, |d| − ½ β elsewhere (Girshick, 2015, arXiv:1504.08083).</summary>
    /// <param name="input">x.</param>
    /// <param name="target">t, of the same shape.</param>
    /// <param name="beta">β, not negative; 0 gives the absolute error.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">β is negative.</exception>
    public static Tensor SmoothAbsolute(Tensor input, Tensor target, float beta = 1f, Reduction reduction = Reduction.Mean)
    {
        if (!(beta >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(beta), beta, "Loss.SmoothAbsolute: beta is where the parabola becomes a line and must not be negative.");
        }

        return beta == 0
            ? MeanAbsolute(input, target, reduction)
            : Elementwise(input, target, new SmoothAbsoluteError(beta), reduction, nameof(SmoothAbsolute));
    }

    /// <summary>
    /// Binary cross-entropy of probabilities: −t · ln p − (1 − t) · ln(1 − p), each logarithm at least −100. Prefer
    /// <see cref="BinaryCrossEntropyWithLogits"/>, which loses nothing near 0 and 1: where a logarithm is at its bound, as at p = 0, its slope is 10¹²,
    /// as in PyTorch.
    /// </summary>
    /// <param name="input">p, from 0 to 1.</param>
    /// <param name="target">t, from 0 to 1, of the same shape.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static Tensor BinaryCrossEntropy(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Elementwise(input, target, default(BinaryCrossEntropy), reduction, nameof(BinaryCrossEntropy));

    /// <summary>Binary cross-entropy of sigmoid(x), from the logits x: ln(1 + eˣ) − t · x.</summary>
    /// <param name="input">x.</param>
    /// <param name="target">t, from 0 to 1, of the same shape.</param>
    /// <param name="reduction">What becomes of the elements.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static Tensor BinaryCrossEntropyWithLogits(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Elementwise(input, target, default(BinaryCrossEntropyOfLogit), reduction, nameof(BinaryCrossEntropyWithLogits));

    /// <summary>Kullback–Leibler divergence p · (ln p − ln q), from the logarithm of q.</summary>
    /// <param name="input">ln q.</param>
    /// <param name="target">p, or ln p if <paramref name="logTarget"/>, of the same shape.</param>
    /// <param name="reduction">What becomes of the elements; only <see cref="Reduction.BatchMean"/> is the divergence itself.</param>
    /// <param name="logTarget">Whether the target is given as its logarithm.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each element, of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static Tensor KullbackLeibler(
        Tensor input, Tensor target, Reduction reduction = Reduction.Mean, bool logTarget = false) =>
        logTarget
            ? Elementwise(input, target, default(RelativeEntropyOfLogarithms), reduction, nameof(KullbackLeibler))
            : Elementwise(input, target, default(RelativeEntropy), reduction, nameof(KullbackLeibler));

    /// <summary>
    /// Cross-entropy of softmax(x) with class labels: −w[y] · ln softmax(x)[y]. The input is logits; do not apply softmax
    /// before.
    /// </summary>
    /// <param name="input">The logits: <c>[batch, classes]</c>, <c>[batch, classes, …]</c> or <c>[classes]</c>.</param>
    /// <param name="labels">The class of each row: <c>[batch]</c>, <c>[batch, …]</c> or one.</param>
    /// <param name="weight">A weight for each class, <c>[classes]</c>; the mean is then the weighted mean.</param>
    /// <param name="ignoreIndex">A label that marks rows to leave out.</param>
    /// <param name="labelSmoothing">
    /// ε: of the target, 1 − ε is the label's and ε is shared by all classes, so that it is 1 − ε + ε / classes at the label and
    /// ε / classes elsewhere (Szegedy et al., 2015, arXiv:1512.00567).
    /// </param>
    /// <param name="reduction">What becomes of the rows.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each row: <c>[batch]</c>, <c>[batch, …]</c> or <c>[]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there are no classes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class, or ε is not from 0 to 1.</exception>
    /// <exception cref="GradientException">The weights ask for a gradient.</exception>
    public static Tensor CrossEntropy(
        Tensor input,
        Indices labels,
        Tensor? weight = null,
        int ignoreIndex = NoIndex,
        float labelSmoothing = 0f,
        Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckSmoothing(labelSmoothing);
        CheckRank(input, nameof(CrossEntropy));

        // Classes along the last axis: one pass forward, and one back.
        return input is { Rank: <= 2, Length: > 0 }
            ? OfLogits(input, labels, weight, ignoreIndex, labelSmoothing, reduction)
            : ComposedCrossEntropy(input, labels, weight, ignoreIndex, labelSmoothing, reduction);
    }

    /// <summary>Cross-entropy of softmax(x) with a distribution over the classes as target: −Σ w · t · ln softmax(x).</summary>
    /// <param name="input">The logits: <c>[batch, classes]</c>, <c>[batch, classes, …]</c> or <c>[classes]</c>.</param>
    /// <param name="target">The probability of each class, of the input's shape.</param>
    /// <param name="reduction">What becomes of the rows. As in PyTorch a mean is over the rows here, whatever the weights.</param>
    /// <param name="weight">A weight for each class, <c>[classes]</c>.</param>
    /// <param name="labelSmoothing">ε: of the target, 1 − ε stays, and ε is shared by all classes.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each row: <c>[batch]</c>, <c>[batch, …]</c> or <c>[]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit; class labels are not given as a tensor, but as int[] or <see cref="Indices"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not from 0 to 1.</exception>
    public static Tensor CrossEntropy(
        Tensor input, Tensor target, Reduction reduction = Reduction.Mean, Tensor? weight = null, float labelSmoothing = 0f)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(target);
        CheckSmoothing(labelSmoothing);
        CheckRank(input, nameof(CrossEntropy));
        CheckNoLabels(input, target);
        CheckShapes(input, target, nameof(CrossEntropy));
        int axis = input.Rank == 1 ? 0 : 1;
        int classes = input.Shape[axis];
        CheckWeightShape(weight, classes, nameof(CrossEntropy));
        Tensor smoothed = labelSmoothing > 0 ? (target * (1f - labelSmoothing)) + (labelSmoothing / classes) : target;
        Tensor rows = -ByClass(smoothed * input.LogSoftmax(axis), weight, axis).Sum([axis]);
        return Reduce(rows, reduction, nameof(CrossEntropy));
    }

    /// <summary>Negative log-likelihood of class labels: −w[y] · x[y], from log-probabilities x.</summary>
    /// <param name="input">Log-probabilities: <c>[batch, classes]</c>, <c>[batch, classes, …]</c> or <c>[classes]</c>.</param>
    /// <param name="labels">The class of each row.</param>
    /// <param name="weight">A weight for each class, <c>[classes]</c>.</param>
    /// <param name="ignoreIndex">A label that marks rows to leave out.</param>
    /// <param name="reduction">What becomes of the rows.</param>
    /// <returns>The loss, <c>[]</c>; with <see cref="Reduction.None"/> one for each row: <c>[batch]</c>, <c>[batch, …]</c> or <c>[]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there are no classes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class.</exception>
    /// <exception cref="GradientException">The weights ask for a gradient.</exception>
    public static Tensor NegativeLogLikelihood(
        Tensor input,
        Indices labels,
        Tensor? weight = null,
        int ignoreIndex = NoIndex,
        Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckRank(input, nameof(NegativeLogLikelihood));
        return OfLabels(input, labels, weight, ignoreIndex, 0f, reduction, nameof(NegativeLogLikelihood));
    }

    /// <summary>Cross-entropy with class labels as it is composed of other operations, for any input.</summary>
    internal static Tensor ComposedCrossEntropy(
        Tensor input, Indices labels, Tensor? weight, int ignoreIndex, float labelSmoothing, Reduction reduction)
    {
        Tensor logarithms = input.LogSoftmax(input.Rank == 1 ? 0 : 1);
        return OfLabels(logarithms, labels, weight, ignoreIndex, labelSmoothing, reduction, nameof(CrossEntropy));
    }

    private static Tensor OfLogits(
        Tensor input, Indices labels, Tensor? weight, int ignoreIndex, float labelSmoothing, Reduction reduction)
    {
        float[]? classWeights = CheckedWeights(input, labels, weight, ignoreIndex, nameof(CrossEntropy));
        int classes = input.Shape[-1];
        int[] places = new int[labels.Values.Length];
        double total = 0;
        for (int row = 0; row < places.Length; row++)
        {
            int label = labels.Values[row];
            places[row] = label == ignoreIndex ? -1 : label;
            total += label == ignoreIndex ? 0f : classWeights?[label] ?? 1f;
        }

        Tensor? weights = classWeights is null ? null : Tensor.Of(classWeights).To(input.Backend);
        ClassTargets targets = new(
            new RowNumbers(places), 1f - labelSmoothing, labelSmoothing / classes, weights?.Storage, classWeights is null ? classes : Total(classWeights));
        float divisor = reduction switch
        {
            Reduction.Mean => (float)total,
            Reduction.BatchMean => input.Rank == 2 ? input.Shape[0] : 1f,
            Reduction.Sum or Reduction.None => 1f,
            _ => throw NoSuchReduction(reduction, nameof(CrossEntropy)),
        };
        return Tensor.CrossEntropy(input, targets, reduction != Reduction.None, divisor);
    }

    /// <summary>Checks labels and weights against log-probabilities or logits.</summary>
    /// <returns>A copy of the class weights, or null if there are none.</returns>
    private static float[]? CheckedWeights(
        Tensor input, Indices labels, Tensor? weight, int ignoreIndex, string operation)
    {
        ArgumentNullException.ThrowIfNull(labels);
        int axis = input.Rank == 1 ? 0 : 1;
        int classes = input.Shape[axis];
        if (classes == 0)
        {
            throw new ShapeException(
                $"Loss.{operation}: the input has shape {input.Shape}, and so no classes: axis {axis}, that of the classes, is empty. "
                + "Give [batch, classes], [batch, classes, …] or [classes] with at least one class.");
        }

        Shape rowShape = input.Shape.Without([axis], keepDimensions: false);
        CheckLabels(input.Shape, rowShape, labels, classes, ignoreIndex, operation);
        CheckWeightShape(weight, classes, operation);
        if (weight is { RequiresGradient: true } && Recording.IsOn)
        {
            throw new GradientException(
                $"Loss.{operation}: the class weights ask for a gradient, and have none here: a mean is divided by the sum of those that count, as in PyTorch, which refuses too. Give weight.Detach().");
        }

        if (weight is not null)
        {
            Tensor.CommonBackend(input, weight, $"Loss.{operation}");
        }

        return weight?.ToArray();
    }

    private static Tensor OfLabels(
        Tensor logarithms,
        Indices labels,
        Tensor? weight,
        int ignoreIndex,
        float labelSmoothing,
        Reduction reduction,
        string operation)
    {
        // Rows left out point at class 0 with weight 0, so that nothing of them counts.
        float[]? classWeights = CheckedWeights(logarithms, labels, weight, ignoreIndex, operation);
        int axis = logarithms.Rank == 1 ? 0 : 1;
        int classes = logarithms.Shape[axis];
        Shape rowShape = logarithms.Shape.Without([axis], keepDimensions: false);
        int[] places = new int[labels.Values.Length];
        float[] rowWeights = new float[labels.Values.Length];
        for (int row = 0; row < places.Length; row++)
        {
            int label = labels.Values[row];
            places[row] = label == ignoreIndex ? 0 : label;
            rowWeights[row] = label == ignoreIndex ? 0f : classWeights?[label] ?? 1f;
        }

        Tensor weights = Tensor.Of(rowWeights, rowShape).To(logarithms.Backend);
        Indices picked = new(places, logarithms.Shape.With(axis, 1));
        Tensor chosen = logarithms.Gather(axis, picked).Reshape(rowShape);

        // Choosing, not multiplying: a row left out must not turn an infinite logarithm into NaN.
        Tensor zero = Tensor.Filled([], 0f, logarithms.Backend);
        Tensor losses = -Tensor.Where(weights, weights * chosen, zero);
        if (labelSmoothing > 0)
        {
            losses = ((1f - labelSmoothing) * losses)
                + Smoothing(logarithms, weight, rowShape, axis, labels, ignoreIndex, labelSmoothing / classes);
        }

        return reduction == Reduction.Mean
            ? losses.Sum() / Total(rowWeights)
            : Reduce(losses, reduction, operation);
    }

    private static Tensor Smoothing(
        Tensor logarithms, Tensor? weight, Shape rowShape, int axis, Indices labels, int ignoreIndex, float share)
    {
        Tensor weighted = ByClass(logarithms, weight, axis);
        float[] counted = [.. labels.Values.Select(label => label == ignoreIndex ? 0f : 1f)];
        Tensor zero = Tensor.Filled([], 0f, logarithms.Backend);
        Tensor mask = Tensor.Of(counted, rowShape).To(logarithms.Backend);
        return Tensor.Where(mask, -share * weighted.Sum([axis]), zero);
    }

    /// <summary>Each number times the weight of its class.</summary>
    private static Tensor ByClass(Tensor x, Tensor? weight, int axis) =>
        weight is null ? x : x * weight.Reshape([weight.Length, .. Enumerable.Repeat(1, x.Rank - axis - 1)]);

    private static float Total(float[] weights)
    {
        double total = 0;
        foreach (float weight in weights)
        {
            total += weight;
        }

        return (float)total;
    }

    private static Tensor Elementwise<TOp>(
        Tensor input, Tensor target, TOp op, Reduction reduction, string operation)
        where TOp : unmanaged, IBinaryOp
    {
        CheckShapes(input, target, operation);
        return Reduce(Tensor.Map(input, target, op), reduction, operation);
    }

    private static Tensor Reduce(Tensor losses, Reduction reduction, string operation) => reduction switch
    {
        Reduction.Mean => losses.Mean(),
        Reduction.Sum => losses.Sum(),
        Reduction.None => losses,
        Reduction.BatchMean when losses.Rank > 0 => losses.Sum() / losses.Shape[0],
        Reduction.BatchMean => losses.Sum(),
        _ => throw NoSuchReduction(reduction, operation),
    };

    private static ArgumentOutOfRangeException NoSuchReduction(Reduction reduction, string operation) =>
        new(nameof(reduction), reduction, $"Loss.{operation}: there is no such reduction.");

    private static void CheckShapes(Tensor input, Tensor target, string operation)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(target);
        if (!input.Shape.Equals(target.Shape))
        {
            // Broadcasting here would silently compare every prediction with every target.
            throw new ShapeException(
                $"Loss.{operation}: the input has shape {input.Shape} and the target {target.Shape}; they must be the same. "
                + (input.Length == target.Length
                    ? $"They have as many elements: target.Reshape(input.Shape) may be what is meant."
                    : "Each input needs a target of its own."));
        }
    }

    /// <summary>Refuses a target that can only be meant as class labels: it has no dimension for the classes, or one number for each row.</summary>
    private static void CheckNoLabels(Tensor input, Tensor target)
    {
        int rows = input.Shape.Without([input.Rank == 1 ? 0 : 1], keepDimensions: false).Size;
        if (!input.Shape.Equals(target.Shape) && (target.Rank < input.Rank || target.Length == rows))
        {
            throw new ShapeException(
                $"Loss.CrossEntropy: the input has shape {input.Shape}, and the target is a tensor of shape {target.Shape}. A target that is a tensor holds the probability of each class, {input.Shape}. "
                + "If these are class labels, give them as int[] or Indices: Array.ConvertAll(target.ToArray(), label => (int)label).");
        }
    }

    private static void CheckSmoothing(float labelSmoothing)
    {
        if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(labelSmoothing), labelSmoothing, "Loss.CrossEntropy: label smoothing must be from 0 to 1.");
        }
    }

    private static void CheckWeightShape(Tensor? weight, int classes, string operation)
    {
        if (weight is not null && !weight.Shape.Equals(Shape.Create(classes)))
        {
            throw new ShapeException(
                $"Loss.{operation}: the class weights have shape {weight.Shape}, but there are {classes} classes; give one weight for each, [{classes}].");
        }
    }

    private static void CheckRank(Tensor input, string operation)
    {
        if (input.Rank == 0)
        {
            throw new ShapeException(
                $"Loss.{operation}: the input is a scalar; it must be [batch, classes], [batch, classes, …] or [classes].");
        }
    }

    private static void CheckLabels(
        Shape shape, Shape rowShape, Indices labels, int classes, int ignoreIndex, string operation)
    {
        if (labels.Values.Length != rowShape.Size || (labels.Shape.Rank > 1 && !labels.Shape.Equals(rowShape)))
        {
            throw new ShapeException(
                $"Loss.{operation}: an input of shape {shape} takes labels of shape {rowShape}, one for each row, but they have shape {labels.Shape}."
                + (shape.Rank > 2 && labels.Shape.Equals(shape.Without([shape.Rank - 1], keepDimensions: false))
                    ? $" Classes are axis 1: if they are the last one here, as after a recurrent layer, write input.Reshape(-1, {shape[^1]}) and labels.Values."
                    : string.Empty));
        }

        for (int row = 0; row < labels.Values.Length; row++)
        {
            int label = labels.Values[row];
            if (label != ignoreIndex && (label < 0 || label >= classes))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(labels), label, $"Loss.{operation}: label {label} at place {row} is no class: the input of shape {shape} has {classes} classes, so labels are from 0 to {classes - 1}, or {ignoreIndex} for a row to leave out.");
            }
        }
    }
}
