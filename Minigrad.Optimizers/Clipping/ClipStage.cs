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
    /// <remarks>Where two parameters have one gradient between them, the second has a gradient of its own afterwards.</remarks>
    /// <param name="parameters">The parameters; those without a gradient are passed over.</param>
    /// <param name="policy">What to do about NaN and infinities. Skipping leaves the gradients as they are.</param>
    /// <returns>The L2 norm of all gradients before clipping, or the norm of the stage's own order; of gradients that are passed over for what is not finite it is ∞ or NaN.</returns>
    /// <exception cref="ArgumentException">A parameter is null or is given twice.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is <see cref="NonFinitePolicy.Throw"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// A gradient is still multiplied by a loss scale, or has another shape or lies on another backend than its parameter; or the stage
    /// remembers the steps of an optimizer, would remember more of a parameter than an array holds, or has a schedule that gives no positive
    /// threshold.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The schedule of the threshold has ended; or there is no such policy, and a gradient is not finite.</exception>
    public double Apply(IEnumerable<Tensor> parameters, NonFinitePolicy policy = NonFinitePolicy.Throw)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        GradientSet set = Gather(parameters);
        History?.Begin(optimizer: null);
        return Apply(set, policy);
    }

    /// <summary>Clips gradients within a step that has begun: examples of one batch share its place in a schedule.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="hasActed">Whether a gradient was scaled.</param>
    /// <returns>The norm before clipping.</returns>
    internal double ApplyInStep(IEnumerable<Tensor> parameters, out bool hasActed)
    {
        GradientSet set = Gather(parameters);
        double norm = Apply(set, NonFinitePolicy.Throw);
        hasActed = set.IsScaled;
        return norm;
    }

    /// <summary>Decides what becomes of the gradients.</summary>
    /// <param name="gradients">All gradients, finite.</param>
    /// <returns>The norm that the stage measured before it clipped.</returns>
    protected internal abstract double Clip(GradientSet gradients);

    /// <summary>The stage's threshold and what it remembers, or null if it has none.</summary>
    internal virtual ThresholdHistory? History => null;

    /// <summary>Decides what becomes of the gradients, and says what was measured.</summary>
    /// <param name="gradients">All gradients, finite.</param>
    internal virtual StageMeasurement Run(GradientSet gradients)
    {
        (double coefficient, bool isScaled) = (gradients.Coefficient, gradients.IsScaled);
        (gradients.Coefficient, gradients.IsScaled) = (1, false);
        StageMeasurement measured = new();
        measured.Add(Clip(gradients), double.NaN, gradients.Coefficient);
        measured.Acted = gradients.IsScaled;
        gradients.Coefficient *= coefficient;
        gradients.IsScaled |= isScaled;
        return measured;
    }

    /// <summary>Checks a list of stages that an optimizer or a group is given.</summary>
    /// <param name="stages">The stages.</param>
    /// <param name="owner">Who is given it.</param>
    /// <exception cref="ArgumentException">The list or one of the stages is null.</exception>
    internal static IReadOnlyList<ClipStage> CheckAll(IReadOnlyList<ClipStage> stages, string owner) =>
        stages is not null && !stages.Contains(null!)
            ? stages
            : throw new ArgumentException(
                $"{owner}.Clip was given {(stages is null ? "null" : "a stage that is null")}. Give a list of stages, Clip = [Clip.GlobalNorm(1)], or an empty one, Clip = [], not to clip.");

    private GradientSet Gather(IEnumerable<Tensor> parameters)
    {
        GradientSet set = new();
        HashSet<Tensor> seen = [];
        int number = 0;
        foreach (Tensor parameter in parameters)
        {
            if (parameter is null)
            {
                throw new ArgumentException($"Clip.{this}.Apply: parameter {number} is null. Pass model.Parameters.", nameof(parameters));
            }

            if (!seen.Add(parameter))
            {
                throw new ArgumentException(
                    $"Clip.{this}.Apply: '{NonFiniteGradients.NameOf(parameter, number)}' of shape {parameter.Shape} was given twice and would be counted and clipped twice. Give each parameter once; module.Parameters lists a tied one once.",
                    nameof(parameters));
            }

            if (parameter.GatheredGradient is { } gradient)
            {
                if (!PendingGradient.Fits(gradient, parameter))
                {
                    throw new InvalidOperationException($"Clip.{this}.Apply: {PendingGradient.WhyNoFit(gradient, parameter, number)}");
                }

                CheckIsUnscaled(parameter);
                PendingGradient pending = new(parameter, number);
                pending.Begin(gradient, 1);
                set.Add(pending);
            }

            number++;
        }

        return set;
    }

    private double Apply(GradientSet set, NonFinitePolicy policy) =>
        NonFiniteGradients.Handle(set, policy, step: null) ? ApplyInPlace(set) : set.NormBeforeBounds();

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

        // What is left of a gradient that several parameters have need not be the same for each of them.
        HashSet<Storage> seen = [];
        foreach (PendingGradient gradient in set.Gradients)
        {
            if (!seen.Add(gradient.Parameter.GatheredGradient!.Storage))
            {
                gradient.WriteApart();
            }
        }

        foreach (PendingGradient gradient in set.Gradients)
        {
            gradient.WriteInPlace();
        }

        History?.Observe();
        return norm;
    }
}
