using Minigrad.Operations;

namespace Minigrad.Backends;

/// <summary>
/// The steps of one optimizer on a backend that the host does not wait for. Norms, what clipping decides from them,
/// whether the step is made at all, and how many were made, stay on the device; the host asks for records when it wants to
/// know. The formulas are the optimizer's (<see cref="IClipDecision"/>, <see cref="IThresholdRule"/>,
/// <see cref="IStepRule{TRule}"/>), the loops the backend's.
/// </summary>
/// <remarks>
/// One step is <see cref="Begin"/>, then the decisions in the order of the stages, the last of which is marked, then the
/// updates. Parameters are meant by their number in the list that <see cref="Backend.Defer"/> was given.
/// </remarks>
public abstract class DeferredSteps
{
    /// <summary>How many records are kept: of the last so many attempts.</summary>
    public const int RecordCount = 64;

    /// <summary>How many attempts were begun.</summary>
    public int Attempts { get; protected set; }

    /// <summary>The loss scale that is in force, one number that the device changes.</summary>
    public abstract Storage LossScale { get; }

    /// <summary>What the rule remembers of a parameter, as buffers of its length.</summary>
    /// <param name="parameter">The parameter.</param>
    public abstract IReadOnlyList<Storage> State(int parameter);

    /// <summary>Begins a step: measures every gradient in L2.</summary>
    /// <param name="gradients">The gradient of each parameter, or null.</param>
    /// <param name="sets">Which set of gradients each belongs to; a stage sees one set.</param>
    /// <param name="settings">What the host says about the step.</param>
    public abstract void Begin(ReadOnlySpan<Storage?> gradients, ReadOnlySpan<int> sets, StepSettings settings);

    /// <summary>One stage of clipping.</summary>
    /// <typeparam name="TDecision">What it decides.</typeparam>
    /// <typeparam name="TRule">How its threshold comes about.</typeparam>
    /// <param name="decision">What it decides.</param>
    /// <param name="rule">How its threshold comes about.</param>
    /// <param name="stage">Its place in the step.</param>
    public abstract void Decide<TDecision, TRule>(TDecision decision, TRule rule, DeferredStage stage)
        where TDecision : unmanaged, IClipDecision
        where TRule : unmanaged, IThresholdRule;

    /// <summary>One stage of clipping that looks at each unit of a gradient and its weights.</summary>
    /// <typeparam name="TDecision">What it decides.</typeparam>
    /// <typeparam name="TRule">How its threshold comes about.</typeparam>
    /// <param name="decision">What it decides.</param>
    /// <param name="rule">How its threshold comes about.</param>
    /// <param name="stage">Its place in the step; its scope is of units.</param>
    public abstract void DecideUnits<TDecision, TRule>(TDecision decision, TRule rule, DeferredStage stage)
        where TDecision : unmanaged, IUnitDecision
        where TRule : unmanaged, IThresholdRule;

    /// <summary>Ends the stages of a step that has none.</summary>
    public abstract void DecideNothing();

    /// <summary>After the last decision: has a stage's rule remember the norms of the step, if it is made.</summary>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="rule">The rule.</param>
    /// <param name="stage">The stage, as it was decided.</param>
    public abstract void Observe<TRule>(TRule rule, DeferredStage stage)
        where TRule : unmanaged, IThresholdRule;

    /// <summary>Makes room for what a stage remembers.</summary>
    /// <param name="scope">What the stage compares with its threshold.</param>
    /// <param name="seriesLength">How many numbers each series of norms takes.</param>
    /// <returns>The number by which the memory is meant.</returns>
    public abstract int Remember(ThresholdScope scope, int seriesLength);

    /// <summary>Lets go of what a stage remembers, which is not asked for any more: its number may be given again.</summary>
    /// <param name="memory">What <see cref="Remember"/> gave.</param>
    public abstract void Forget(int memory);

    /// <summary>Sets what a stage remembers.</summary>
    /// <param name="memory">What <see cref="Remember"/> gave.</param>
    /// <param name="memories">
    /// One array where all gradients are together, else one for each parameter, its series one after another, or empty where
    /// the stage does not see it.
    /// </param>
    public abstract void WriteMemory(int memory, IReadOnlyList<double[]> memories);

    /// <summary>Waits, and reads what a stage remembers.</summary>
    /// <param name="memory">What <see cref="Remember"/> gave.</param>
    /// <param name="memories">Where to, as <see cref="WriteMemory"/> was given it.</param>
    public abstract void ReadMemory(int memory, IReadOnlyList<double[]> memories);

    /// <summary>Waits, and reads what the stages of the last <see cref="RecordCount"/> attempts did, all at once.</summary>
    /// <param name="records">Where to; a longer array in its place if it is too short.</param>
    /// <returns>How many records there are for an attempt: attempt a's begin at a mod <see cref="RecordCount"/> times that.</returns>
    public abstract int ReadStages(ref StageRecord[] records);

    /// <summary>Updates a run of parameters that have gradients, unless the step is withheld.</summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public abstract void Update<TStep, TRule>(TStep step, int first, int end)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateRule;

    /// <summary>
    /// Updates a run of parameters that have gradients by a rule that measures each update first, and remembers its size, unless
    /// the step is withheld.
    /// </summary>
    /// <typeparam name="TStep">Makes the rule of a step.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <typeparam name="TThreshold">How the threshold of the updates' sizes comes about.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="threshold">How the threshold comes about.</param>
    /// <param name="memory">What <see cref="Remember"/> gave for it, a series for each parameter, or −1 if it remembers nothing.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public abstract void UpdateMeasured<TStep, TRule, TThreshold>(TStep step, TThreshold threshold, int memory, int first, int end)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IMeasuredRule<TRule>
        where TThreshold : unmanaged, IThresholdRule;

    /// <summary>
    /// Before a run of parameters that have gradients is updated: has what their rule is handed decided for each of them, unless the step
    /// is withheld. What <see cref="IStepRule{TRule}.At"/> is given as what it carries is then the threshold that follows from what
    /// the rule measures, or +∞ where the size is not above it; the size is remembered.
    /// </summary>
    /// <typeparam name="TStep">Makes the rule of a step; what is measured must not depend on what it carries.</typeparam>
    /// <typeparam name="TRule">The rule.</typeparam>
    /// <typeparam name="TThreshold">How the threshold of what is measured comes about.</typeparam>
    /// <param name="step">The rule's constants.</param>
    /// <param name="threshold">How the threshold comes about.</param>
    /// <param name="memory">What <see cref="Remember"/> gave for it, a series for each parameter.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="end">The parameter after the last.</param>
    public abstract void DecideUpdates<TStep, TRule, TThreshold>(TStep step, TThreshold threshold, int memory, int first, int end)
        where TStep : unmanaged, IStepRule<TRule>
        where TRule : unmanaged, IUpdateMeasure
        where TThreshold : unmanaged, IThresholdRule;

    /// <summary>Waits, and reads the records of the last <see cref="RecordCount"/> attempts, attempt a at a mod that.</summary>
    /// <param name="records">Where to.</param>
    public abstract void ReadRecords(Span<StepRecord> records);

    /// <summary>Waits, and reads each gradient's norm at attempts whose records are kept, all by one copy.</summary>
    /// <param name="attempt">The first attempt.</param>
    /// <param name="norms">For each attempt from there on, as many as there is room for, a norm for each parameter; NaN for one that had no gradient.</param>
    public abstract void ReadNorms(int attempt, Span<double> norms);

    /// <summary>Waits, and reads what became of each update that was measured at an attempt whose record is kept.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="updates">
    /// A record for each parameter, and then for each parameter one of what <see cref="DecideUpdates"/> decided before; of one that was
    /// not measured, or has no elements, it means nothing.
    /// </param>
    public abstract void ReadUpdates(int attempt, Span<UpdateRecord> updates);

    /// <summary>Waits, and measures the gradients of the last step as the update read them.</summary>
    /// <param name="norms">A norm for each parameter.</param>
    public abstract void MeasureClipped(Span<double> norms);

    /// <summary>Waits, and reads how many updates each parameter had.</summary>
    /// <param name="counts">A number for each parameter.</param>
    public abstract void ReadUpdateCounts(Span<int> counts);

    /// <summary>Sets what the device counts.</summary>
    /// <param name="counts">The counts of steps, of which the others follow.</param>
    /// <param name="updates">How many updates each parameter had.</param>
    /// <param name="memories">What the rule carries for each parameter.</param>
    public abstract void SetCounts(StepRecord counts, ReadOnlySpan<int> updates, ReadOnlySpan<double> memories);
}
