using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// One stage of clipping. It sees all gradients of a step at once, and rather than writing memory leaves a scale that
/// the update reads, where its mathematics allow.
/// </summary>
public abstract class ClipStage
{
    /// <summary>What the stage does, in short: <c>GlobalNorm(1)</c>.</summary>
    public abstract override string ToString();

    /// <summary>
    /// Clips the gradients of parameters in place, for a training loop that is written out by hand.
    /// </summary>
    /// <param name="parameters">The parameters; those without a gradient are passed over.</param>
    /// <param name="policy">What to do about NaN and infinities. Skipping leaves the gradients as they are.</param>
    /// <returns>The L2 norm of all gradients before clipping, or the norm of the stage's own order.</returns>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is <see cref="NonFinitePolicy.Throw"/>.</exception>
    /// <exception cref="InvalidOperationException">A gradient is still multiplied by a loss scale.</exception>
    public double Apply(IEnumerable<Tensor> parameters, NonFinitePolicy policy = NonFinitePolicy.Throw)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        GradientSet set = new();
        foreach (Tensor parameter in parameters)
        {
            if (parameter.Gradient is { } gradient)
            {
                CheckIsUnscaled(parameter);
                PendingGradient pending = new(parameter);
                pending.Begin(gradient, 1);
                set.Add(pending);
            }
        }

        return NonFiniteGradients.Handle(set, policy, step: null) ? ApplyInPlace(set) : double.NaN;
    }

    /// <summary>Decides what becomes of the gradients.</summary>
    /// <param name="gradients">All gradients, finite.</param>
    /// <returns>The norm that the stage measured before it clipped.</returns>
    protected internal abstract double Clip(GradientSet gradients);

    /// <summary>Whether the stage can be decided on a device, without the host.</summary>
    internal virtual bool CanDefer => false;

    /// <summary>Queues the stage on a device; only if <see cref="CanDefer"/>.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="set">The set of gradients that the stage sees.</param>
    /// <param name="isLast">Whether it is the last stage of the step.</param>
    /// <returns>Whether gradients may have been written.</returns>
    internal virtual bool Defer(DeferredSteps steps, int set, bool isLast) =>
        throw new NotSupportedException($"{this} needs the host.");

    /// <summary>Checks a threshold.</summary>
    /// <param name="threshold">The threshold: positive, or +∞ to measure only.</param>
    /// <param name="stage">The stage's name.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, negative or NaN.</exception>
    protected static double CheckThreshold(double threshold, string stage)
    {
        if (threshold > 0)
        {
            return threshold;
        }

        string reason = threshold == 0
            ? "Libraries disagree on what 0 means: some set every gradient to 0, others do not clip. To measure without clipping pass +∞; to stop learning set the learning rate to 0."
            : double.IsNaN(threshold)
                ? "NaN would turn every gradient into NaN."
                : "In some libraries a negative threshold silently reverses every gradient.";
        throw new ArgumentOutOfRangeException(
            nameof(threshold), threshold, $"Clip.{stage}: the threshold must be positive, but it is {threshold}. {reason}");
    }

    /// <summary>Checks the order of a norm.</summary>
    /// <param name="order">p: positive, or +∞.</param>
    /// <param name="stage">The stage's name.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is 0, negative or NaN.</exception>
    protected static double CheckOrder(double order, string stage) =>
        order > 0
            ? order
            : throw new ArgumentOutOfRangeException(
                nameof(order), order, $"Clip.{stage}: the order of a norm must be positive (1, 2, another number, or +∞ for the largest magnitude), but it is {order}.");

    private void CheckIsUnscaled(Tensor parameter)
    {
        if (parameter.GradientMark is { IsUnscaled: false })
        {
            throw new InvalidOperationException(
                $"Clip.{this}.Apply: the gradient of {(parameter.Name is null ? "a parameter" : $"'{parameter.Name}'")} is of a loss that optimizer.Scale has scaled, and is still multiplied by the scale, so the threshold would be the scale times too strict. "
                + "Set optimizer.Clip = [...], whose stages act after unscaling, or call optimizer.Unscale() before Apply.");
        }
    }

    private double ApplyInPlace(GradientSet set)
    {
        double norm = Clip(set);
        foreach (PendingGradient gradient in set.Gradients)
        {
            gradient.WriteInPlace();
        }

        return norm;
    }
}
