using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The rule of each step with a limit of its update; see <see cref="ClippedUpdate{TRule, TLimit}"/>.</summary>
/// <typeparam name="TStep">Makes the rule of a step.</typeparam>
/// <typeparam name="TRule">The rule.</typeparam>
/// <typeparam name="TLimit">The limit.</typeparam>
/// <param name="decayed">Makes the rule of a step with what all rules share.</param>
/// <param name="limit">The limit.</param>
/// <param name="shrinkage">η · λ of decoupled weight decay, 0 for none.</param>
public readonly struct ClippedUpdateStep<TStep, TRule, TLimit>(DecayedStep<TStep, TRule> decayed, TLimit limit, double shrinkage)
    : IStepRule<ClippedUpdate<TRule, TLimit>>
    where TStep : unmanaged, IStepRule<TRule>
    where TRule : unmanaged, IUpdateRule
    where TLimit : unmanaged, IUpdateLimit<TRule>
{
    private readonly DecayedStep<TStep, TRule> decayed = decayed;
    private readonly TLimit limit = limit;
    private readonly double shrinkage = shrinkage;

    /// <inheritdoc/>
    public ClippedUpdate<TRule, TLimit> At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath => new(decayed.At<TMath>(step, ref memory), limit, shrinkage);
}
