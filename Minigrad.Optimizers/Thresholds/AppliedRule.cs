using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers.Thresholds;

/// <summary>A threshold rule whose type is known only inside, so that a stage can hold any.</summary>
internal abstract class AppliedRule
{
    /// <summary>How many numbers of a series are of the running step only.</summary>
    public const int StepNumbers = ThresholdSeries<FixedThreshold>.StepNumbers;

    /// <summary>How many numbers a series of norms takes; 0 if nothing is remembered.</summary>
    public abstract int SeriesLength { get; }

    /// <summary>The threshold for a norm.</summary>
    /// <param name="norm">What is compared.</param>
    /// <param name="total">The norm of all gradients that the stage sees.</param>
    /// <param name="memory">What is remembered; not read if that is nothing.</param>
    /// <param name="start">Where the series begins in it.</param>
    public abstract double Threshold(double norm, double total, double[] memory, int start);

    /// <summary>Whether the rule may have left these numbers, as far as that can be told.</summary>
    /// <param name="memory">Finite numbers that are not negative.</param>
    /// <param name="start">Where the series begins in it.</param>
    public abstract bool IsMemory(double[] memory, int start);

    /// <summary>Remembers the norm of the step.</summary>
    /// <param name="memory">What is remembered.</param>
    /// <param name="start">Where the series begins in it.</param>
    public abstract void Observe(double[] memory, int start);

    /// <summary>Queues a stage on a device.</summary>
    /// <typeparam name="TDecision">What it decides.</typeparam>
    /// <param name="steps">The running step.</param>
    /// <param name="decision">What it decides.</param>
    /// <param name="stage">Its place in the step.</param>
    public abstract void Decide<TDecision>(DeferredSteps steps, TDecision decision, DeferredStage stage)
        where TDecision : unmanaged, IClipDecision;

    /// <summary>Queues a stage of units on a device.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="decision">What it decides.</param>
    /// <param name="stage">Its place in the step.</param>
    public abstract void DecideUnits(DeferredSteps steps, UnitNormDecision decision, DeferredStage stage);

    /// <summary>Queues updates that are measured first.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule of an update.</typeparam>
    /// <param name="steps">The running step.</param>
    /// <param name="step">The constants of the rule of an update.</param>
    /// <param name="memory">What is remembered on the device, or −1.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public abstract void UpdateMeasured<TStep, TRule>(DeferredSteps steps, TStep step, int memory, int first, int end)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IMeasuredRule<TRule>;

    /// <summary>Queues that what the rule of updates is handed is decided for each parameter, and what was compared remembered.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule of an update.</typeparam>
    /// <param name="steps">The running step.</param>
    /// <param name="step">The constants of the rule of an update.</param>
    /// <param name="memory">What is remembered on the device.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public abstract void DecideUpdates<TStep, TRule>(DeferredSteps steps, TStep step, int memory, int first, int end)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateMeasure;

    /// <summary>Queues that the norms of the step are remembered.</summary>
    /// <param name="steps">The running step.</param>
    /// <param name="stage">The stage's place in it.</param>
    public abstract void Observe(DeferredSteps steps, DeferredStage stage);
}
