using Minigrad.Backends;

namespace Minigrad.Layers;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167): y = (x − mean) / √(variance + ε) · weight + bias for each
/// channel, dimension 1. In training with the statistics of the batch, which also move the running ones; in use with the
/// running ones. <c>[batch, features]</c> or <c>[batch, features, time]</c> to the same shape.
/// </summary>
/// <remarks>
/// Parameters <c>weight</c> and <c>bias</c>, buffers <c>running_mean</c> and <c>running_var</c>, all <c>[features]</c>. As in
/// PyTorch the batch is normalised by its plain variance, while the running one takes the unbiased.
/// </remarks>
public sealed class BatchNorm1d : Layer
{
    private readonly float epsilon;
    private readonly float momentum;

    /// <summary>A layer whose weight begins as 1, its bias and running mean as 0, its running variance as 1.</summary>
    /// <param name="features">How many channels there are, at least 1.</param>
    /// <param name="epsilon">ε, added to the variance.</param>
    /// <param name="momentum">The part of a batch's statistics that enters the running ones, from 0 to 1.</param>
    /// <param name="isAffine">Whether there are a weight and a bias.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public BatchNorm1d(int features, float epsilon = 1e-5f, float momentum = 0.1f, bool isAffine = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        if (!(momentum >= 0 && momentum <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(momentum), momentum, "BatchNorm1d: momentum is the part of a new batch in the running statistics, from 0 (none) to 1 (nothing else). (Some libraries give the part that is kept, 1 − momentum.)");
        }

        this.epsilon = NormalizationShape.CheckedEpsilon(epsilon, nameof(BatchNorm1d));
        this.momentum = momentum;
        Features = features;
        if (isAffine)
        {
            Weight = Parameter("weight", Tensor.Ones(features));
            Bias = Parameter("bias", Tensor.Zeros(features));
        }

        RunningMean = Buffer("running_mean", Tensor.Zeros(features));
        RunningVariance = Buffer("running_var", Tensor.Ones(features));
    }

    /// <summary>The number of channels.</summary>
    public int Features { get; }

    /// <summary>The scale, <c>[features]</c>, or null.</summary>
    public Tensor? Weight { get; }

    /// <summary>The shift, <c>[features]</c>, or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>The running mean, <c>[features]</c>.</summary>
    public Tensor RunningMean { get; }

    /// <summary>The running variance, <c>[features]</c>.</summary>
    public Tensor RunningVariance { get; }

    /// <inheritdoc/>
    public override string ToString() => $"BatchNorm1d({Features})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        if (input.Rank is not (2 or 3) || input.Shape[1] != Features)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, but [batch, {Features}] or [batch, {Features}, time] is needed: dimension 1 holds the channels.");
        }

        if (!IsTraining)
        {
            return input.BatchNorm(RunningMean, RunningVariance, Weight, Bias, epsilon);
        }

        int count = input.Length / Features;
        if (count < 2)
        {
            throw new ShapeException(
                $"the input has shape {input.Shape}, {count} value for each channel, which has no variance to learn from. Use a larger batch (drop a last batch of one row), or Evaluate() to use the model.");
        }

        Tensor output = input.BatchNorm(Weight, Bias, epsilon, out Tensor mean, out Tensor variance);
        using (new NoGrad())
        using (new EmulatedPrecision(Precision.Full))
        {
            Move(RunningMean, mean.Detach());
            Move(RunningVariance, variance.Detach() * (count / (count - 1f)));
        }

        return output;
    }

    private void Move(Tensor running, Tensor batch) =>
        running.Assign((running * (1f - momentum)) + (batch.Reshape(Features) * momentum));
}
