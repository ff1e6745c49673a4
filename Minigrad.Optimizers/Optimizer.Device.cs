using System.Runtime.InteropServices;
using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>Steps on a device that the host does not wait for.</content>
public abstract partial class Optimizer
{
    private DeferredPipeline? deferred;
    private Backend? refusing;
    private bool isCountedOnDevice;

    /// <summary>
    /// After how many steps on a device the host looks at what became of them: 1 waits for each, so that an error is
    /// thrown by the step it belongs to; up to 64. The CPU always knows, and does not read this.
    /// </summary>
    /// <remarks>
    /// Under <see cref="NonFinitePolicy.Throw"/> a device makes no step after a bad one until the error was thrown, so
    /// nothing is lost but the steps in between. Reading a number of a report, <see cref="StepCount"/> or
    /// <see cref="State"/> looks as well; what they find is thrown by the next step, or by <see cref="Check"/>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 1 to 64.</exception>
    public int CheckInterval
    {
        get;
        set
        {
            if (value is < 1 or > DeferredSteps.RecordCount)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, $"CheckInterval must be from 1 to {DeferredSteps.RecordCount}, of which a device keeps records, but it is {value}.");
            }

            field = value;
        }
    } = DeferredSteps.RecordCount;

    /// <summary>Waits for the device, and throws what a step met that the host has not looked at. On the CPU there is nothing to wait for.</summary>
    /// <exception cref="NonFiniteGradientException">A gradient was not usable and the policy is to throw.</exception>
    /// <exception cref="InvalidOperationException">Too many steps were skipped in a row.</exception>
    public void Check()
    {
        if (isCountedOnDevice)
        {
            deferred!.Learn();
            deferred.ThrowIfFailed();
        }
    }

    /// <summary>What the rule carries after so many updates.</summary>
    internal double MemoryAfter(int step) => Memory(step);

    /// <summary>The number of the running step of parameters on a device.</summary>
    internal int NumberOnDevice(int first, int end)
    {
        deferred!.LearnUpdates();
        int number = 1;
        for (int i = first; i < end; i++)
        {
            number = slots[i].Pending.HasGradient ? Math.Max(number, slots[i].Step) : number;
        }

        return number;
    }

    /// <summary>What has to be thrown when too many steps were skipped.</summary>
    internal InvalidOperationException TooManySkips(int consecutive) => new(
        $"{GetType().Name}: {consecutive} steps in a row were skipped because of gradients that are not usable, more than MaximumConsecutiveSkips = {MaximumConsecutiveSkips}. Training does not go on by itself; "
        + (ScaleRule.IsDynamic
            ? "a lower loss scale did not help, so it is not the scale that makes them overflow. Set LossScaling = null and NonFinite = NonFinitePolicy.Throw to see which parameter is bad."
            : "set NonFinite = NonFinitePolicy.Throw to see which parameter is bad."));

    /// <summary>Where steps need no host, or null: on the CPU, over several devices, or with a stage of one's own.</summary>
    private DeferredPipeline? Deferred()
    {
        Backend backend = slots[0].Parameter.Backend;
        if (ReferenceEquals(backend, refusing) || !CanDefer(backend))
        {
            return null;
        }

        if (deferred is null || !deferred.Fits())
        {
            CountOnHost();
            deferred = DeferredPipeline.Create(this, backend, slots, InitialStates());
            if (deferred is null)
            {
                refusing = backend;
                return null;
            }
        }

        if (!isCountedOnDevice)
        {
            deferred.SetCounts(StepCount, SkippedSteps, ConsecutiveSkips, lossScale, goodSteps, Memory);
            isCountedOnDevice = true;
        }

        return deferred;
    }

    private bool CanDefer(Backend backend)
    {
        foreach (ParameterSlot slot in slots)
        {
            if (!ReferenceEquals(slot.Parameter.Backend, backend))
            {
                return false;
            }
        }

        return stages.TrueForAll(entry => entry.Stage is ThresholdStage);
    }

    private StepReport StepOnDevice(DeferredPipeline pipeline, List<string>? without, bool areScaled)
    {
        pipeline.ThrowIfFailed();
        pipeline.Begin(1.0 / AccumulationCount, areScaled, ScaleRule, NonFinite, SetOf);
        QueueStages(pipeline);
        QueueUpdates(pipeline);
        int attempt = pipeline.End();
        scaleEpoch++;
        if (pipeline.Unseen >= CheckInterval)
        {
            Check();
        }

        int[]? places = Places(without);
        Tensor[] seen = Measured(places);
        return new StepReport(seen, places, new DeferredReport(pipeline, attempt, seen, places, stageNames, updateClipPlaces, RuleThresholdName)) { WithoutGradient = without ?? [] };
    }

    /// <summary>A group with stages of its own is a set by itself; the others together are set 0.</summary>
    private int SetOf(ParameterGroup group) => group.Clip is null ? 0 : 1 + Groups.TakeWhile(other => other != group).Count();

    private void QueueStages(DeferredPipeline pipeline)
    {
        if (stages.Count == 0)
        {
            pipeline.ClipNothing();
        }

        for (int i = 0; i < stages.Count; i++)
        {
            (ClipStage stage, ParameterGroup? group) = stages[i];
            pipeline.Clip((ThresholdStage)stage, i, group is null ? 0 : SetOf(group), isLast: i == stages.Count - 1);
        }

        pipeline.Observe();
    }

    private void QueueUpdates(DeferredPipeline pipeline)
    {
        int start = 0;
        while (start < slots.Count)
        {
            int end = start;
            targets.Clear();
            while (end < slots.Count && ReferenceEquals(slots[end].Group, slots[start].Group))
            {
                ParameterSlot slot = slots[end];
                if (slot.Pending.HasGradient)
                {
                    targets.Add(new UpdateTarget(slot.Parameter.Storage, slot.Pending.Gradient.Storage, GradientScale.One, slot.State));
                    slot.Parameter.Storage.MarkChanged();
                }

                end++;
            }

            if (targets.Count > 0)
            {
                Update(MakeStep(slots[start], 0, pipeline, start, end), CollectionsMarshal.AsSpan(targets));
            }

            start = end;
        }

        targets.Clear();
    }

    private T LearnedOr<T>(Func<DeferredPipeline, T> read, T known)
    {
        if (!isCountedOnDevice)
        {
            return known;
        }

        deferred!.Learn();
        return read(deferred);
    }

    private void LearnUpdates()
    {
        if (isCountedOnDevice)
        {
            deferred!.LearnUpdates();
            deferred.LearnMemories();
        }
    }

    /// <summary>Takes over what a device has counted. An error that it met is thrown first.</summary>
    private void CountOnHost()
    {
        if (isCountedOnDevice)
        {
            Check();
            deferred!.ReadWaiting();
            LearnUpdates();
            (int made, int skipped, int consecutive) = (StepCount, SkippedSteps, ConsecutiveSkips);
            (lossScale, goodSteps, scaleTensor) = (deferred.LossScale, deferred.GoodSteps, null);
            isCountedOnDevice = false;
            (StepCount, SkippedSteps, ConsecutiveSkips) = (made, skipped, consecutive);
        }

        // Parameters that have moved away leave no memory behind.
        if (deferred is not null && !deferred.Fits())
        {
            deferred = null;
        }
    }

    /// <summary>What a device has counted no longer matters, because other counts are about to be set.</summary>
    private void ForgetDevice() => (deferred, isCountedOnDevice) = (null, false);
}
