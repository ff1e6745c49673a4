using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <content>What becomes of the updates of a step of the host: which part of each is made, and what its gradient's bound has done.</content>
public abstract partial class Optimizer
{
    /// <summary>Where to note what becomes of the next so many updates.</summary>
    internal UpdatePlaces TakeUpdates(int count)
    {
        int first = takenUpdates;
        takenUpdates += count;
        return new UpdatePlaces(
            first, updateCoefficients is null ? [] : updateCoefficients.AsSpan(first, count), clamped.AsSpan(first, count));
    }

    /// <summary>The threshold of an update that was measured, which is noted to be remembered.</summary>
    /// <param name="clip">The number of the clip.</param>
    /// <param name="place">The parameter's place among those that have gradients.</param>
    /// <param name="size">The size of the update.</param>
    internal double ThresholdOfUpdate(int clip, int place, double size)
    {
        ThresholdHistory history = updateClips[clip].Clip.History;
        return history.ThresholdOf(size, size, history.MemoryOf(all.Gradients[place].Parameter), 0);
    }

    /// <summary>Notes for the report what a clip has decided of an update.</summary>
    /// <param name="clip">The number of the clip.</param>
    /// <param name="size">The size of the update.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="coefficient">Which part is made.</param>
    internal void NoteUpdate(int clip, double size, double threshold, double coefficient) =>
        updatesMeasured[clip].AddUpdate(size, threshold, coefficient);

    private void BeginUpdates(int count)
    {
        takenUpdates = 0;
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
        StageReport[] reports = updateClips.Count == 0 ? [] : new StageReport[updateClips.Count];
        for (int i = 0; i < reports.Length; i++)
        {
            reports[i] = updatesMeasured[i].Report(updateClipPlaces.Names[i]);
        }

        return reports;
    }
}
