using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Rules;

/// <summary>
/// Any rule with what all rules share: the direction of the search, weight decay that is added to the gradient (L2), and
/// weight decay apart from it (Loshchilov and Hutter, 2017, arXiv:1711.05101). g ← sign · g + λ · p, p ← k · p, then the rule.
/// </summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="rule">The rule and this step's constants.</param>
/// <param name="sign">+1 to minimise, −1 to maximise.</param>
/// <param name="added">λ, 0 for none.</param>
/// <param name="kept">k = 1 − η · λ for decoupled decay, 1 for none.</param>
public readonly struct Decayed<TRule>(TRule rule, float sign, float added, float kept) : IUpdateRule
    where TRule : unmanaged, IUpdateRule
{
    private readonly TRule rule = rule;
    private readonly float sign = sign;
    private readonly float added = added;
    private readonly float kept = kept;

    /// <inheritdoc/>
    public int StateCount => rule.StateCount;

    /// <summary>The rule by itself.</summary>
    public TRule Rule => rule;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        T decayed = Gradient(parameter, gradient);
        parameter = kept * parameter;
        rule.Update(ref parameter, decayed, ref first, ref second, ref third);
    }

    /// <summary>The gradient that the rule is given: sign · g + λ · p. Without a decay p is left out: 0 times an infinite p would be NaN.</summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="parameter">p.</param>
    /// <param name="gradient">g.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Gradient<T>(T parameter, T gradient)
        where T : struct, IReal<T> => added == 0f ? sign * gradient : (sign * gradient) + (added * parameter);
}
