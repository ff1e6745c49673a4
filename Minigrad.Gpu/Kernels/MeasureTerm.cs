using Minigrad.Operations;

namespace Minigrad.Gpu.Kernels;

/// <summary>How what a rule measures of its update combines, by the order that the rule's type has: no launch has to say it.</summary>
/// <typeparam name="TRule">The rule.</typeparam>
internal readonly struct MeasureTerm<TRule> : INormTerm
    where TRule : unmanaged, IUpdateMeasure
{
    /// <inheritdoc/>
    public double Term(float x, int unit) =>
        TRule.Order > double.MaxValue ? default(LargestTerm).Term(x, unit) : default(SquareTerm).Term(x, unit);

    /// <inheritdoc/>
    public double Combine(double total, double term) =>
        TRule.Order > double.MaxValue ? default(LargestTerm).Combine(total, term) : default(SquareTerm).Combine(total, term);

    /// <summary>The norm of all that was combined.</summary>
    /// <param name="total">What all contributions are together.</param>
    public static double Norm(double total) => TRule.Order > double.MaxValue ? total : Math.Sqrt(total);
}
