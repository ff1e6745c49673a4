using Minigrad.Backends;
using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>Where the report of a step on a device asks for what it says.</summary>
/// <param name="pipeline">Whose step it is.</param>
/// <param name="attempt">The number of the attempt.</param>
/// <param name="parameters">The parameters that had a gradient.</param>
/// <param name="places">Their numbers, or null if all had one.</param>
/// <param name="stageNames">What the stages are called.</param>
/// <param name="updateClips">The clips of updates.</param>
/// <param name="spikes">What reports call a threshold of the rule of updates that was decided before them, or null for none.</param>
internal sealed class DeferredReport(
    DeferredPipeline pipeline,
    int attempt,
    IReadOnlyList<Tensor> parameters,
    int[]? places,
    string[] stageNames,
    UpdateClipPlaces updateClips,
    string? spikes)
{
    private UpdateRecord[]? updates;

    /// <summary>Whether reading it waits for no device.</summary>
    public bool IsKnown => pipeline.Knows(attempt);

    /// <summary>Whether the device has forgotten it.</summary>
    public bool IsLost => pipeline.HasForgotten(attempt);

    /// <summary>Asks to be called before the device forgets it.</summary>
    /// <param name="read">Reads the report.</param>
    public void ReadBeforeItIsLost(Action read) => pipeline.ReadBeforeLoss(attempt, read);

    /// <summary>Asks for no call any more.</summary>
    /// <param name="read">What would have been called.</param>
    public void WasRead(Action read) => pipeline.HasRead(read);

    /// <summary>What was measured and decided.</summary>
    public StepMeasurement Measurement() => pipeline.Measurement(attempt);

    /// <summary>What each stage that clips gradients did.</summary>
    public StageReport[] Stages() => pipeline.Stages(attempt, stageNames);

    /// <summary>What the threshold of the rule of updates did, if it is decided before them, and each clip of updates, in a step that was made.</summary>
    public StageReport[] UpdateStages()
    {
        StageMeasurement decided = new();
        StageMeasurement[] measured = new StageMeasurement[updateClips.Names.Count];
        Array.Fill(measured, new StageMeasurement());
        for (int i = 0; i < parameters.Count; i++)
        {
            if (IsMeasured(i))
            {
                measured[updateClips.ClipOf(NumberOf(i))].AddUpdate(Updates()[NumberOf(i)]);
            }

            if (spikes is not null && parameters[i].Length > 0)
            {
                decided.AddUpdate(Updates()[(Updates().Length / 2) + NumberOf(i)]);
            }
        }

        IEnumerable<StageReport> clips = measured.Select((stage, i) => stage.Report(updateClips.Names[i]));
        return spikes is null ? [.. clips] : [decided.Report(spikes), .. clips];
    }

    /// <summary>Which part of each update was made in a step that was made.</summary>
    public double[] PartsMade() =>
        [.. Enumerable.Range(0, parameters.Count).Select(i => IsMeasured(i) ? Updates()[NumberOf(i)].Coefficient : 1)];

    /// <summary>The norm of each gradient before clipping.</summary>
    public double[] Norms() => OfParameters(pipeline.Norms(attempt));

    /// <summary>The norm of each gradient as the update read it, or null if it is no longer what it was.</summary>
    public double[]? ClippedNorms() => pipeline.ClippedNorms(attempt) is { } norms ? OfParameters(norms) : null;

    /// <summary>Whether the update of a parameter that had a gradient was measured.</summary>
    private bool IsMeasured(int parameter) => updateClips.ClipOf(NumberOf(parameter)) >= 0 && parameters[parameter].Length > 0;

    private int NumberOf(int parameter) => places is null ? parameter : places[parameter];

    private UpdateRecord[] Updates() => updates ??= pipeline.Updates(attempt);

    private double[] OfParameters(double[] all) => places is null ? all : Array.ConvertAll(places, place => all[place]);
}
