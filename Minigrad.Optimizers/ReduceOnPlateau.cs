namespace Minigrad.Optimizers;

/// <summary>
/// Multiplies a value by a factor when a metric has stopped to improve. It is no <see cref="Schedule"/>, since what it does
/// follows from the metrics and not from the number of steps.
/// </summary>
/// <remarks>
/// A metric m is an improvement on the best b if m &lt; b − θ · |b| (or m &gt; b + θ · |b| when it is to grow). PyTorch
/// writes b · (1 ∓ θ), which is the same for b ≥ 0, but for a negative b takes a slightly worse metric for a better one.
/// </remarks>
/// <example>
/// <code>
/// ReduceOnPlateau plateau = new(optimizer.LearningRate);
/// // After each epoch:
/// optimizer.LearningRate = plateau.Observe(validationLoss);
/// </code>
/// </example>
public sealed class ReduceOnPlateau
{
    private readonly bool maximize;
    private readonly double factor;
    private readonly int patience;
    private readonly double threshold;
    private readonly int cooldown;
    private readonly double minimum;
    private readonly double leastChange;
    private PlateauState state;

    /// <summary>A value that is reduced.</summary>
    /// <param name="initial">The value at the start.</param>
    /// <param name="maximize">Whether the metric is to grow, as an accuracy, rather than to fall, as a loss.</param>
    /// <param name="factor">What the value is multiplied by.</param>
    /// <param name="patience">How many metrics in a row may be no improvement; the next one reduces.</param>
    /// <param name="threshold">θ, by which part of the best a metric must be better to count.</param>
    /// <param name="cooldown">For how many metrics after a reduction none is counted as bad.</param>
    /// <param name="minimum">What the value is not reduced below.</param>
    /// <param name="leastChange">A reduction by no more than this is not made, and the value stays. (PyTorch's <c>eps</c>, 10⁻⁸ there.)</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside what it can be; the message says which and why.</exception>
    public ReduceOnPlateau(
        double initial,
        bool maximize = false,
        double factor = 0.1,
        int patience = 10,
        double threshold = 1e-4,
        int cooldown = 0,
        double minimum = 0,
        double leastChange = 0)
    {
        Check(double.IsFinite(initial) && initial > 0, initial, nameof(initial), "be positive and finite: it is made smaller by a factor");
        Check(factor is >= 0 and < 1, factor, nameof(factor), "be at least 0 and less than 1: it makes the value smaller");
        Check(patience >= 0, patience, nameof(patience), "not be negative: it is how many metrics in a row may be no improvement");
        Check(threshold >= 0 && double.IsFinite(threshold), threshold, nameof(threshold), "be finite and not negative: it is the part of the best by which a metric must be better");
        Check(cooldown >= 0, cooldown, nameof(cooldown), "not be negative: it is how many metrics are passed over after a reduction");
        Check(minimum >= 0 && minimum <= initial, minimum, nameof(minimum), $"be from 0 to the initial value, {initial}");
        Check(leastChange >= 0 && double.IsFinite(leastChange), leastChange, nameof(leastChange), "be finite and not negative: it is by how much a reduction must change the value");
        this.maximize = maximize;
        this.factor = factor;
        this.patience = patience;
        this.threshold = threshold;
        this.cooldown = cooldown;
        this.minimum = minimum;
        this.leastChange = leastChange;
        state = new PlateauState(initial, Best: null, BadCount: 0, CooldownLeft: 0);
    }

    /// <summary>The value.</summary>
    public double Value => state.Value;

    /// <summary>Takes note of a metric, and reduces the value if too many in a row were no improvement.</summary>
    /// <param name="metric">The metric, as the loss of an epoch. NaN is no improvement.</param>
    /// <returns>The value.</returns>
    public double Observe(double metric)
    {
        bool isBetter = IsBetter(metric);
        bool isCooling = state.CooldownLeft > 0;
        int bad = isBetter || isCooling ? 0 : state.BadCount + 1;
        bool isReduced = bad > patience;
        double reduced = Math.Max(state.Value * factor, minimum);
        state = new PlateauState(
            isReduced && state.Value - reduced > leastChange ? reduced : state.Value,
            isBetter ? metric : state.Best,
            isReduced ? 0 : bad,
            isReduced ? cooldown : state.CooldownLeft - (isCooling ? 1 : 0));
        return Value;
    }

    /// <summary>Everything that is remembered. <see cref="Restore"/> continues from it.</summary>
    public PlateauState State() => state;

    /// <summary>Restores what <see cref="State"/> gave.</summary>
    /// <param name="state">The state.</param>
    /// <exception cref="ArgumentException">No such object can be in that state.</exception>
    public void Restore(PlateauState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!(state.Value >= minimum && double.IsFinite(state.Value))
            || state.BadCount < 0 || state.BadCount > patience
            || state.CooldownLeft < 0 || state.CooldownLeft > cooldown
            || state.Best is double.NaN)
        {
            throw new ArgumentException(
                $"ReduceOnPlateau: {state} is no state that this can be in: the value is finite and at least the minimum, {minimum}, the counts are from 0 to the patience, {patience}, and to the cooldown, {cooldown}, and the best is not NaN.", nameof(state));
        }

        this.state = state;
    }

    private static void Check(bool holds, double value, string name, string rule)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"ReduceOnPlateau: {name} must {rule}, but it is {value}.");
        }
    }

    private bool IsBetter(double metric)
    {
        if (state.Best is not { } best || double.IsInfinity(best))
        {
            return maximize ? metric > (state.Best ?? double.NegativeInfinity) : metric < (state.Best ?? double.PositiveInfinity);
        }

        double margin = threshold * Math.Abs(best);
        return maximize ? metric > best + margin : metric < best - margin;
    }
}
