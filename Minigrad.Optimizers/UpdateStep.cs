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
    private readonly int number;
    private readonly float sign;
    private readonly float added;
    private readonly float kept;

    internal UpdateStep(
        Optimizer optimizer,
        DeferredPipeline? deferred,
        int first,
        int end,
        Backend backend,
        int number,
        double learningRate,
        float sign,
        float added,
        float kept)
    {
        this.optimizer = optimizer;
        this.deferred = deferred;
        this.first = first;
        this.end = end;
        this.backend = backend;
        this.number = number;
        this.sign = sign;
        this.added = added;
        this.kept = kept;
        LearningRate = learningRate;
    }

    /// <summary>
    /// Which step of these parameters this is, from 1. A device counts steps itself, so there reading it waits for the
    /// device: a rule that depends on it is better made by an <see cref="IStepRule{TRule}"/>.
    /// </summary>
    public int Number => deferred is null ? number : optimizer.NumberOnDevice(first, end);

    /// <summary>The learning rate in force for these parameters.</summary>
    public double LearningRate { get; }

    /// <summary>Updates parameters by a rule, with weight decay and direction applied around it.</summary>
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
        DecayedStep<TStep, TRule> decayed = new(step, sign, added, kept);
        if (deferred is null)
        {
            double memory = optimizer.MemoryAfter(number - 1);
            backend.Update(decayed.At<SystemMath>(number, ref memory), targets);
        }
        else if (targets.Length == optimizer.TargetCount)
        {
            deferred.Update<DecayedStep<TStep, TRule>, Decayed<TRule>>(decayed, first, end);
        }
        else
        {
            throw new ArgumentException(
                $"UpdateStep.Apply was given {targets.Length} targets of the {optimizer.TargetCount} that Update was called with. On a device the parameters of a group are updated by one rule: pass the targets on as they are.", nameof(targets));
        }
    }
}
