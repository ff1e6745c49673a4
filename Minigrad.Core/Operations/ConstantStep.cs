namespace Minigrad.Operations;

/// <summary>A rule that is the same at every step.</summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="rule">The rule and its constants.</param>
public readonly struct ConstantStep<TRule>(TRule rule) : IStepRule<TRule>
    where TRule : unmanaged, IUpdateRule
{
    private readonly TRule rule = rule;

    /// <inheritdoc/>
    public TRule At<TMath>(double step, ref double memory)
        where TMath : struct, IStepMath => rule;
}
