namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// Suggests a threshold for <see cref="Clip.GlobalNorm"/> from the record of a run: watch the norms for a while, then choose. A
/// recorded run needs no clipping; norms are measured before it, so one with clipping serves as well. Steps that were skipped, as for
/// an overflow of a dynamic loss scale, count for nothing.
/// </summary>
/// <example>
/// <code>
/// var history = new StepHistory();
/// for (int step = 0; step &lt; 300; step++) { …; history.Add(optimizer.Step(), loss); }
/// ThresholdAdvice advice = ThresholdAdvisor.Advise(history);
/// Console.WriteLine(advice);
/// optimizer.Clip = [Clip.GlobalNorm(advice.Suggestion ?? 1)];
/// </code>
/// </example>
public static class ThresholdAdvisor
{
    /// <summary>Fewer norms than this tell nothing about the run.</summary>
    internal const int FewestNorms = 20;

    /// <summary>Reads a record.</summary>
    /// <param name="history">The record, of at least 20 steps that were made and whose norms are finite and not 0.</param>
    /// <exception cref="InvalidOperationException">There are fewer.</exception>
    public static ThresholdAdvice Advise(StepHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        double[] norms = [.. history.Rows.Where(ThresholdAdvice.HasNorm).Select(row => row.Norm)];
        return norms.Length >= FewestNorms
            ? new ThresholdAdvice(history, norms)
            : throw new InvalidOperationException(
                $"ThresholdAdvisor: the history has {norms.Length} rows of {history.StepCount} steps that were made and have a norm that is finite and not 0, but at least {FewestNorms} are needed to speak of the usual one. "
                + "Record a longer run; if its norms are not finite, one with a smaller learning rate.");
    }
}
