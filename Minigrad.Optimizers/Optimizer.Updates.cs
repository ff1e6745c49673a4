using System.Runtime.InteropServices;
using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>What becomes of the updates of a step of the host: which part of each is made, and what its gradient's bound has done.</content>
public abstract partial class Optimizer
{
    /// <summary>
    /// The threshold of the rule itself, of what the rule measures of each parameter before the update; null for a rule without one.
    /// </summary>
    internal virtual ThresholdHistory? RuleThreshold => null;

    /// <summary>What reports call the threshold of the rule where it is decided from what is measured.</summary>
    private string? RuleThresholdName => RuleThreshold is { SeriesLength: > 0 } history ? history.Text : null;

    /// <summary>How many updates of the running step have been taken.</summary>
    internal int TakenUpdates => takenUpdates;

    /// <summary>How many parameters there are.</summary>
    internal int ParameterCount => slots.Count;

    /// <summary>How many updates each parameter had, as far as the host knows.</summary>
    internal IEnumerable<int> UpdateCounts => slots.Select(slot => slot.Step);

    /// <summary>Where to note what becomes of the next so many updates.</summary>
    internal UpdatePlaces TakeUpdates(int count)
    {
        int first = takenUpdates;
        takenUpdates += count;
        return new UpdatePlaces(
            first, updateCoefficients is null ? [] : updateCoefficients.AsSpan(first, count), clamped.AsSpan(first, count));
    }

    /// <summary>Checks that an update is of the parameters that <see cref="Update"/> was called with: any left out would stay as they are.</summary>
    /// <param name="targets">The targets that the update is asked for.</param>
    /// <exception cref="ArgumentException">They are others.</exception>
    internal void CheckTargets(ReadOnlySpan<UpdateTarget> targets)
    {
        ReadOnlySpan<UpdateTarget> own = CollectionsMarshal.AsSpan(this.targets);
        bool areAll = targets == own;
        if (!areAll && targets.Length == own.Length)
        {
            areAll = true;
            for (int i = 0; i < own.Length; i++)
            {
                areAll &= ReferenceEquals(targets[i].Parameter, own[i].Parameter);
            }
        }

        if (!areAll)
        {
            throw new ArgumentException(
                $"UpdateStep.Apply was given {targets.Length} targets that are not the {own.Length} that Update was called with. Parameters left out would silently stay as they are: pass the targets on as they are, and give parameters with another rule an optimizer of their own.",
                nameof(targets));
        }
    }

    /// <summary>What follows for an update that was measured; it is noted to be remembered, and for the report.</summary>
    /// <typeparam name="TRule">The rule of the update.</typeparam>
    /// <param name="rule">The rule of the update.</param>
    /// <param name="clip">The number of the clip, or null for the threshold of the rule itself.</param>
    /// <param name="place">The parameter's place among those that have gradients.</param>
    /// <param name="norm">The norm of what was measured of it.</param>
    internal UpdateRecord DecideUpdate<TRule>(TRule rule, int? clip, int place, double norm)
        where TRule : unmanaged, IUpdateMeasure
    {
        Tensor parameter = all.Gradients[place].Parameter;
        ThresholdHistory history = clip is { } number ? updateClips[number].Clip.History : RuleThreshold!;
        UpdateRecord record = new() { Size = rule.Size<SystemMath>(norm, parameter.Length) };
        record.Threshold = history.ThresholdOf(record.Size, record.Size, history.MemoryOf(parameter), 0);
        record.Coefficient = rule.Factor(record.Size, record.Threshold);
        (clip is null ? ref ruleMeasured : ref updatesMeasured[clip.Value]).AddUpdate(record);
        return record;
    }

    private void BeginUpdates(int count)
    {
        takenUpdates = 0;
        ruleMeasured = new StageMeasurement();
        if (clamped.Length < count)
        {
            clamped = new bool[count];
        }

        Array.Clear(clamped);
        updateCoefficients = null;
        if (updateClips.Count > 0)
        {
            updateCoefficients = new double[count];
            Array.Fill(updateCoefficients, 1);
            updatesMeasured = new StageMeasurement[updateClips.Count];
            Array.Fill(updatesMeasured, new StageMeasurement());
        }
    }

    /// <summary>The step is made: its updates are remembered, and bounds that gradients have passed on the way.</summary>
    private void EndUpdates()
    {
        RuleThreshold?.Observe();
        foreach ((UpdateClip clip, _) in updateClips)
        {
            clip.History.Observe();
        }

        for (int i = 0; i < all.Gradients.Length; i++)
        {
            if (clamped[i])
            {
                all.Gradients[i].ActedBounds.Add(all.Gradients[i].BoundStage);
            }
        }
    }

    /// <summary>The reports of the stages, with what was seen of their bounds.</summary>
    private StageReport[] NoteBounds()
    {
        foreach (PendingGradient gradient in all.Gradients)
        {
            foreach (int stage in gradient.ActedBounds)
            {
                measured[stage] = measured[stage] with { Acted = true };
            }
        }

        return measured;
    }

    private StageReport[] UpdateReports()
    {
        int first = RuleThresholdName is null ? 0 : 1;
        StageReport[] reports = first + updateClips.Count == 0 ? [] : new StageReport[first + updateClips.Count];
        for (int i = 0; i < reports.Length; i++)
        {
            reports[i] = i < first
                ? ruleMeasured.Report(RuleThresholdName!)
                : updatesMeasured[i - first].Report(updateClipPlaces.Names[i - first]);
        }

        return reports;
    }
}
