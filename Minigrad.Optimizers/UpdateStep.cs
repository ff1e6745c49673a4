using System.Runtime.InteropServices;
using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Rules;

namespace Minigrad.Optimizers;

/// <summary>What an optimizer knows when it makes the rule of one step.</summary>
public readonly struct UpdateStep
{
    private readonly Optimizer optimizer;
    private readonly DeferredPipeline? deferred;
    private readonly int first;
    private readonly int end;
    private readonly Backend backend;
    private readonly int clip;
    private readonly int number;
    private readonly float sign;
    private readonly float added;
    private readonly double shrinkage;

    internal UpdateStep(
        Optimizer optimizer,
        DeferredPipeline? deferred,
        int first,
        int end,
        Backend backend,
        int clip,
        int number,
        double learningRate,
        float sign,
        float added,
        double shrinkage)
    {
        this.optimizer = optimizer;
        this.deferred = deferred;
        this.first = first;
        this.end = end;
        this.backend = backend;
        this.clip = clip;
        this.number = number;
        this.sign = sign;
        this.added = added;
        this.shrinkage = shrinkage;
        LearningRate = learningRate;
    }

    /// <summary>
    /// Which step of these parameters this is, from 1. A device counts steps itself, so there reading it waits for the
    /// device: a rule that depends on it is better made by an <see cref="IStepRule{TRule}"/>.
    /// </summary>
    public int Number => deferred is null ? number : optimizer.NumberOnDevice(first, end);

    /// <summary>The learning rate in force for these parameters.</summary>
    public double LearningRate { get; }

    /// <summary>Updates parameters by a rule, with weight decay, direction and the <see cref="UpdateClip"/> applied around it.</summary>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="rule">The rule and this step's constants.</param>
    /// <param name="targets">The parameters, as <see cref="Optimizer.Update"/> was given them.</param>
    /// <exception cref="ArgumentException">They are others.</exception>
    public void Apply<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets)
        where TRule : unmanaged, IUpdateRule =>
        Apply<ConstantStep<TRule>, TRule>(new ConstantStep<TRule>(rule), targets);

    /// <summary>Updates parameters by a rule that follows from the step's number, wherever that is known.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The optimizer's constants.</param>
    /// <param name="targets">The parameters, as <see cref="Optimizer.Update"/> was given them.</param>
    /// <exception cref="ArgumentException">They are others.</exception>
    public void Apply<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
    {
        optimizer.CheckTargets(targets);
        if (optimizer.UpdateClipAt(clip) is { } own)
        {
            own.Apply<TStep, TRule>(this, step, targets);
        }
        else
        {
            Make<TStep, TRule>(step, targets);
        }
    }

    /// <summary>As <see cref="Apply{TRule}"/>, for a rule whose mean square <see cref="UpdateClip.StableAdamW"/> can ask for.</summary>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="rule">The rule and this step's constants.</param>
    /// <param name="targets">The parameters, as <see cref="Optimizer.Update"/> was given them.</param>
    /// <exception cref="ArgumentException">They are others.</exception>
    public void ApplyWithSecondMoment<TRule>(TRule rule, ReadOnlySpan<UpdateTarget> targets)
        where TRule : unmanaged, ISecondMoment =>
        ApplyWithSecondMoment<ConstantStep<TRule>, TRule>(new ConstantStep<TRule>(rule), targets);

    /// <summary>As <see cref="Apply{TStep, TRule}"/>, for a rule whose mean square <see cref="UpdateClip.StableAdamW"/> can ask for.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The optimizer's constants.</param>
    /// <param name="targets">The parameters, as <see cref="Optimizer.Update"/> was given them.</param>
    /// <exception cref="ArgumentException">They are others.</exception>
    public void ApplyWithSecondMoment<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, ISecondMoment
    {
        optimizer.CheckTargets(targets);
        ApplyToSome<TStep, TRule>(step, targets);
    }

    /// <summary>What the rule carries into the step, if that was decided for these parameters.</summary>
    private double? Decided { get; init; }

    /// <summary>What the rule carries into the step.</summary>
    private double Carried => Decided ?? optimizer.MemoryAfter(number - 1);

    /// <summary>
    /// As <see cref="ApplyWithSecondMoment{TStep, TRule}"/>, for a rule with a threshold of its own that follows from what it measures of
    /// each parameter: it is handed to the rule as what it carries, +∞ where it leaves all as it is.
    /// </summary>
    internal void ApplyDecided<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, ISecondMoment, IUpdateMeasure
    {
        optimizer.CheckTargets(targets);
        if (deferred is not null)
        {
            deferred.DecideUpdates<TStep, TRule>(step, optimizer.RuleThreshold!, first, end);
            ApplyToSome<TStep, TRule>(step, targets);
            return;
        }

        double memory = Carried;
        TRule rule = step.At<SystemMath>(number, ref memory);
        int place = optimizer.TakenUpdates;
        double[] decided = new double[targets.Length];
        backend.MeasureUpdates(rule, targets, decided);
        for (int i = 0; i < decided.Length; i++)
        {
            decided[i] = targets[i].Parameter.Length > 0
                ? optimizer.DecideUpdate(rule, clip: null, place + i, decided[i]).ThresholdInForce
                : double.PositiveInfinity;
        }

        // Neighbours of which nothing is cut are updated by one call.
        for (int start = 0, next; start < decided.Length; start = next)
        {
            next = start + 1;
            while (next < decided.Length && decided[next] == decided[start])
            {
                next++;
            }

            (this with { Decided = decided[start] }).ApplyToSome<TStep, TRule>(step, targets[start..next]);
        }
    }

    /// <summary>Updates parameters by a rule whose update is measured first, and then made in the part that a threshold leaves of its size.</summary>
    internal void MakeClipped<TStep, TRule, TLimit>(TStep step, TLimit limit, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
        where TLimit : unmanaged, IUpdateLimit<TRule>
    {
        DecayedStep<TStep, TRule> decayed = Decayed<TStep, TRule>(step);
        ClippedUpdateStep<TStep, TRule, TLimit> clipped = new(decayed, limit, shrinkage);
        if (deferred is not null)
        {
            deferred.UpdateMeasured<ClippedUpdateStep<TStep, TRule, TLimit>, ClippedUpdate<TRule, TLimit>>(
                clipped, optimizer.UpdateClipAt(clip)!.History, first, end);
            return;
        }

        double memory = Carried;
        ClippedUpdate<TRule, TLimit> rule = clipped.At<SystemMath>(number, ref memory);
        UpdatePlaces places = optimizer.TakeUpdates(targets.Length);
        backend.MeasureUpdates(rule, targets, places.Coefficients);
        List<UpdateTarget> whole = [];
        List<int> wholePlaces = [];
        for (int i = 0; i < targets.Length; i++)
        {
            double coefficient = 1;
            if (targets[i].Parameter.Length > 0)
            {
                coefficient = optimizer.DecideUpdate(rule, clip, places.First + i, places.Coefficients[i]).Coefficient;
            }

            places.Coefficients[i] = coefficient;
            if (coefficient == 1)
            {
                whole.Add(targets[i]);
                wholePlaces.Add(i);
            }
            else
            {
                backend.Update(rule.Shortened(coefficient), targets.Slice(i, 1), places.Clamped.Slice(i, 1));
            }
        }

        // Updates that are made whole are those of an optimizer without a clip, to the bit, and one call.
        bool[] clamped = new bool[whole.Count];
        UpdateNow<TStep, TRule>(step, CollectionsMarshal.AsSpan(whole), clamped);
        for (int i = 0; i < clamped.Length; i++)
        {
            places.Clamped[wholePlaces[i]] = clamped[i];
        }
    }

    /// <summary>Updates all targets of the step, or neighbours among them, by a rule that has a mean square.</summary>
    private void ApplyToSome<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, ISecondMoment
    {
        if (optimizer.UpdateClipAt(clip) is { } own)
        {
            own.ApplyWithSecondMoment<TStep, TRule>(this, step, targets);
        }
        else
        {
            Make<TStep, TRule>(step, targets);
        }
    }

    private DecayedStep<TStep, TRule> Decayed<TStep, TRule>(TStep step)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule => new(step, sign, added, (float)(1 - shrinkage));

    private void Make<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
    {
        if (deferred is null)
        {
            UpdateNow<TStep, TRule>(step, targets, optimizer.TakeUpdates(targets.Length).Clamped);
        }
        else
        {
            deferred.Update<DecayedStep<TStep, TRule>, Decayed<TRule>>(Decayed<TStep, TRule>(step), first, end);
        }
    }

    /// <summary>A rule that minimises without weight decay is run by itself: what would change nothing takes a tenth of Adam's time in a cache.</summary>
    private void UpdateNow<TStep, TRule>(TStep step, ReadOnlySpan<UpdateTarget> targets, Span<bool> clamped)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule
    {
        double memory = Carried;
        if (sign == 1f && added == 0f && shrinkage == 0.0)
        {
            backend.Update(step.At<SystemMath>(number, ref memory), targets, clamped);
        }
        else
        {
            backend.Update(Decayed<TStep, TRule>(step).At<SystemMath>(number, ref memory), targets, clamped);
        }
    }
}
