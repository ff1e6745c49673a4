using System.Runtime.CompilerServices;
using Minigrad.Backends;
using Minigrad.Numerics;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers.Rules;

/// <summary>
/// Any rule with a limit of its update. The rule is run on a parameter of 0, and what it makes of that is the change −Δ:
/// p ← k · p + s · (−Δ). What the rule remembers advances as without the limit.
/// </summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <typeparam name="TLimit">The limit.</typeparam>
public readonly struct ClippedUpdate<TRule, TLimit> : IMeasuredRule<ClippedUpdate<TRule, TLimit>>
    where TRule : unmanaged, IUpdateRule
    where TLimit : unmanaged, IUpdateLimit<TRule>
{
    private readonly Decayed<TRule> decayed;
    private readonly TLimit limit;
    private readonly double shrinkage;
    private readonly float kept;
    private readonly Scaled part;
    private readonly NormDecision decision = new(isCommon: 0, (int)NormMeasure.Norm, epsilon: 0.0);

    /// <summary>A rule whose update is made whole, until it is <see cref="Shortened"/>.</summary>
    /// <param name="decayed">The rule with what all rules share.</param>
    /// <param name="limit">The limit.</param>
    /// <param name="shrinkage">η · λ of decoupled weight decay, 0 for none.</param>
    public ClippedUpdate(Decayed<TRule> decayed, TLimit limit, double shrinkage)
        : this(decayed, limit, shrinkage, 1.0)
    {
    }

    private ClippedUpdate(Decayed<TRule> decayed, TLimit limit, double shrinkage, double coefficient)
    {
        this.decayed = decayed;
        this.limit = limit;
        this.shrinkage = shrinkage;
        kept = (float)(1.0 - (limit.DecayShare(coefficient) * shrinkage));
        (float first, float second) = GradientScale.Split(coefficient);
        part = new Scaled(first, second);
    }

    /// <inheritdoc/>
    public static double Order => TLimit.Order;

    /// <inheritdoc/>
    public int StateCount => decayed.StateCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Measure<T>(T parameter, T gradient, T first, T second, T third)
        where T : struct, IReal<T>
    {
        T searched = decayed.Gradient(parameter, gradient);
        T change = 0f;
        decayed.Rule.Update(ref change, searched, ref first, ref second, ref third);
        return limit.Measure(decayed.Rule, parameter, searched, change, first, second, third);
    }

    /// <inheritdoc/>
    public double Size<TMath>(double norm, double count)
        where TMath : struct, IStepMath => limit.Size<TMath>(norm, count);

    /// <inheritdoc/>
    /// <remarks>A size above float32's range has no threshold under a rule that remembers, and every finite threshold leaves nothing of it.</remarks>
    public double Factor(double size, double threshold)
    {
        // A device may take a comparison with NaN for true, so NaN is asked for before anything is compared.
        if (double.IsNaN(threshold) && !double.IsNaN(size) && size > double.MaxValue)
        {
            return 0.0;
        }

        return decision.Factor(size, threshold);
    }

    /// <inheritdoc/>
    public ClippedUpdate<TRule, TLimit> Shortened(double coefficient) => new(decayed, limit, shrinkage, coefficient);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update<T>(ref T parameter, T gradient, ref T first, ref T second, ref T third)
        where T : struct, IReal<T>
    {
        T change = 0f;
        decayed.Rule.Update(ref change, decayed.Gradient(parameter, gradient), ref first, ref second, ref third);
        parameter = (kept * parameter) + part.Forward(change);
    }
}
