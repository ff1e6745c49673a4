using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>The rule of each step with what all rules share; see <see cref="Decayed{TRule}"/>.</summary>
/// <typeparam name="TStep">Makes the rule of a step.</typeparam>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="step">Makes the rule of a step.</param>
/// <param name="sign">+1 to minimise, −1 to maximise.</param>
/// <param name="added">λ, 0 for none.</param>
/// <param name="kept">k = 1 − η · λ for decoupled decay, 1 for none.</param>
public readonly struct DecayedStep<TStep, TRule>(TStep step, float sign, float added, float kept) : IStepRule<Decayed<TRule>>
    where TStep : unmanaged, IStepRule<TRule>
    where TRule : unmanaged, IUpdateRule
{
    private readonly TStep step = step;
    private readonly float sign = sign;
    private readonly float added = added;
    private readonly float kept = kept;

    /// <inheritdoc/>
    public Decayed<TRule> At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath => new(this.step.At<TMath>(step, ref memory), sign, added, kept);
}
