using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>A rule of a type.</summary>
/// <typeparam name="TRule">The rule.</typeparam>
/// <param name="rule">The rule and its constants.</param>
internal sealed class TypedRule<TRule>(TRule rule) : AppliedRule
    where TRule : unmanaged, IThresholdRule
{
    private readonly ThresholdSeries<TRule> series = new(rule);

    /// <inheritdoc/>
    public override int SeriesLength => series.Length;

    /// <inheritdoc/>
    public override double Threshold(double norm, double total, double[] memory, int start) =>
        series.Threshold<SystemMath, HostThresholdMemory>(norm, total, new HostThresholdMemory(memory, start));

    /// <inheritdoc/>
    public override bool IsMemory(double[] memory, int start) =>
        rule is not IRestorableRule restorable || restorable.IsMemory(new HostThresholdMemory(memory, start));

    /// <inheritdoc/>
    public override void Observe(double[] memory, int start) =>
        series.Observe<SystemMath, HostThresholdMemory>(new HostThresholdMemory(memory, start));

    /// <inheritdoc/>
    public override void Decide<TDecision>(DeferredSteps steps, TDecision decision, DeferredStage stage) =>
        steps.Decide(decision, rule, stage);

    /// <inheritdoc/>
    public override void DecideUnits(DeferredSteps steps, UnitNormDecision decision, DeferredStage stage) =>
        steps.DecideUnits(decision, rule, stage);

    /// <inheritdoc/>
    public override void UpdateMeasured<TStep, TUpdate>(DeferredSteps steps, TStep step, int memory, int first, int end) =>
        steps.UpdateMeasured<TStep, TUpdate, TRule>(step, rule, memory, first, end);

    /// <inheritdoc/>
    public override void DecideUpdates<TStep, TUpdate>(DeferredSteps steps, TStep step, int memory, int first, int end) =>
        steps.DecideUpdates<TStep, TUpdate, TRule>(step, rule, memory, first, end);

    /// <inheritdoc/>
    public override void Observe(DeferredSteps steps, DeferredStage stage) => steps.Observe(rule, stage);
}
