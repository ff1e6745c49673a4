using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>A stage that compares norms with a threshold, and can be decided on a device.</summary>
internal abstract class ThresholdStage : ClipStage
{
    /// <summary>The largest tensor has 2³¹ elements, which to the power of 10 leave room for any float32 in a double.</summary>
    private const double SmallestOrder = 0.1;

    /// <summary>A stage.</summary>
    /// <param name="name">The name of the method of <see cref="Minigrad.Optimizers.Clip"/> that makes it.</param>
    /// <param name="threshold">What it clips to.</param>
    /// <param name="scope">What it compares with that.</param>
    /// <param name="order">The order of the norms that it decides from.</param>
    /// <param name="details">What else there is to say, with a comma before it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN; the order is below 0.1 or NaN.</exception>
    protected ThresholdStage(string name, Threshold threshold, ThresholdScope scope, double order, string details)
    {
        History = new ThresholdHistory(nameof(Minigrad.Optimizers.Clip), name, threshold, scope, details);
        Order = CheckOrder(order, $"Clip.{name}");
    }

    /// <summary>The order of the norms that it decides from.</summary>
    public double Order { get; }

    /// <inheritdoc/>
    internal sealed override ThresholdHistory History { get; }

    /// <summary>Checks the order of a norm.</summary>
    /// <param name="order">The order.</param>
    /// <param name="asked">What asks for the norm, for the message.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is below 0.1 or NaN.</exception>
    public static double CheckOrder(double order, string asked) => order >= SmallestOrder
        ? order
        : throw new ArgumentOutOfRangeException(
            nameof(order), order, FormattableString.Invariant($"{asked}: the order of a norm must be at least {SmallestOrder} (1, 2, another number, or +∞ for the largest magnitude), but it is {order}. With a smaller one the norm of many elements, which grows with their number to the power of 1 / order, may be infinite."));

    /// <summary>Queues the stage on a device.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="stage">Its place in it.</param>
    public abstract void Defer(DeferredSteps steps, DeferredStage stage);

    /// <inheritdoc/>
    public override string ToString() => History.Text;

    /// <summary>Decides what becomes of the gradients. What it measures is not kept here: optimizers on several threads may have one stage between them.</summary>
    /// <param name="gradients">All gradients, finite.</param>
    /// <param name="measured">What was measured, and whether a gradient was scaled or bounded.</param>
    /// <returns>The norm that the stage measured before it clipped.</returns>
    protected abstract double Clip(GradientSet gradients, out StageMeasurement measured);

    /// <inheritdoc/>
    protected internal sealed override double Clip(GradientSet gradients) => Clip(gradients, out _);

    /// <inheritdoc/>
    internal override StageMeasurement Run(GradientSet gradients)
    {
        Clip(gradients, out StageMeasurement measured);
        return measured;
    }
}
