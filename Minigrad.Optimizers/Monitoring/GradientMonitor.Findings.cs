using System.Globalization;
using Minigrad.Layers;

namespace Minigrad.Optimizers.Monitoring;

/// <content>What is found, in words.</content>
public sealed partial class GradientMonitor
{
    /// <summary>How many units a message lists.</summary>
    private const int ListedUnits = 8;

    private readonly Dictionary<MonitoredLayer, (int Step, double Ratio, double Norm, double Median)> spikes = [];
    private readonly Dictionary<(RecurrentLayer Layer, int Direction), double[]> explodedSequences = [];
    private (int Step, MonitoredLayer Layer, int Count)? notFinite;

    /// <summary>
    /// What is wrong, the gravest first: what has exploded at any time, and what else holds now. Empty for a healthy model. An
    /// overflow of a dynamic loss scale, which is lower from then on, is none.
    /// </summary>
    public IReadOnlyList<GradientFinding> Findings()
    {
        queue.Drain();
        List<GradientFinding> findings = [];
        if (notFinite is { } bad)
        {
            string others = bad.Count > 1 ? $", and those of {bad.Count - 1} more" : string.Empty;
            findings.Add(new GradientFinding(GradientFault.NotFinite, bad.Layer.Name, double.NaN, Text(
                $"At step {bad.Step} the gradient of {Described(bad.Layer)} was not finite{others}; it is the first that the backward pass comes to.")));
        }

        AddSpikes(findings);
        foreach (((RecurrentLayer layer, int direction), double[] norms) in explodedSequences)
        {
            AddSequence(findings, layer, direction, norms);
        }

        foreach (((RecurrentLayer layer, int direction), double[] norms) in sequences)
        {
            if (!explodedSequences.ContainsKey((layer, direction)) && Growth(norms) <= VanishingRatio)
            {
                AddSequence(findings, layer, direction, norms);
            }
        }

        AddDepth(findings);
        AddDeadUnits(findings);
        AddUpdates(findings);
        return [.. findings.OrderBy(finding => finding.Fault)];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The gradient at the first step as a multiple of that at the last step that has one, or NaN for what is too short to say.
    /// </summary>
    private static double Growth(double[] norms)
    {
        int last = LastStep(norms);
        return last + 1 < ShortestSequence ? double.NaN : norms[0] / norms[last];
    }

    private static int LastStep(double[] norms) => Array.FindLastIndex(norms, norm => norm > 0 || double.IsNaN(norm));

    private string Described(MonitoredLayer layer) => layer.Described(layers.Count);

    private string Described(Layer layer) => layers.Find(other => ReferenceEquals(other.Module, layer)) is { } monitored
        ? Described(monitored)
        : $"layer {layer.Title}";

    /// <summary>Holds a step against the medians before it.</summary>
    private void NoteStep(int step)
    {
        MonitoredLayer? worst = null;

        // The median of the first few steps says little; what is far from even that has exploded.
        double largest = taken > FewestSteps ? SpikeRatio : ExplodingRatio;

        // A layer whose gradients had all but vanished and come back to what others have is on the mend.
        double ordinary = layers.Max(layer => layer.KnownMedian);
        int badCount = 0;
        MonitoredLayer? lastBad = null;
        foreach (MonitoredLayer layer in layers)
        {
            if (layer.HasGradient && !double.IsFinite(layer.Norm))
            {
                badCount++;
                lastBad = layer;
            }
            else if (layer.HasGradient && layer.Norm >= largest * layer.KnownMedian && layer.KnownMedian > 0 && layer.Norm > ordinary)
            {
                (worst, largest) = (layer, layer.Norm / layer.KnownMedian);
            }
        }

        // Backward runs from the last layer to the first, so the last bad one was the first to be so.
        if (lastBad is not null)
        {
            notFinite ??= (step, lastBad, badCount);
        }

        if (worst is not null && (!spikes.TryGetValue(worst, out (int Step, double Ratio, double Norm, double Median) before) || largest > before.Ratio))
        {
            spikes[worst] = (step, largest, worst.Norm, worst.KnownMedian);
        }
    }

    private void NoteSequence(RecurrentLayer layer, int direction, double[] norms)
    {
        double growth = Growth(norms);
        if (growth >= ExplodingRatio
            && !(explodedSequences.TryGetValue((layer, direction), out double[]? before) && Growth(before) >= growth))
        {
            explodedSequences[(layer, direction)] = norms;
        }
    }

    private void AddSpikes(List<GradientFinding> findings)
    {
        foreach ((MonitoredLayer layer, (int step, double ratio, double norm, double median)) in spikes.OrderByDescending(entry => entry.Value.Ratio))
        {
            findings.Add(new GradientFinding(GradientFault.Exploding, layer.Name, ratio, Text(
                $"The gradient of {Described(layer)} exploded at step {step}: its norm was {norm:g3}, {ratio:g3} times its running median {median:g3}.")));
        }
    }

    private void AddSequence(List<GradientFinding> findings, RecurrentLayer layer, int direction, double[] norms)
    {
        int last = LastStep(norms);
        double growth = Growth(norms);
        double perStep = Math.Pow(growth, 1.0 / last);
        bool explodes = growth > 1;
        string change = explodes ? "grows" : "shrinks";
        string consequence = explodes ? string.Empty : " What happened so long ago teaches it nothing.";
        findings.Add(new GradientFinding(explodes ? GradientFault.Exploding : GradientFault.Vanishing, MonitoredLayer.NameOf(layer), growth, Text(
            $"Going back through time the gradient of {Described(layer)}{DirectionOf(layer, direction)} {change}, {perStep:g3}-fold with each step: from {norms[last]:g3} at step {last + 1} of the sequence to {norms[0]:g3} at step 1, {growth:g3} times.{consequence}")));
    }

    private static string DirectionOf(RecurrentLayer layer, int direction) => NameOf(layer, direction)[MonitoredLayer.NameOf(layer).Length..];

    /// <summary>Compares each layer's median norm with the last layer's.</summary>
    private void AddDepth(List<GradientFinding> findings)
    {
        double last = LastMedian();
        if (!(last > 0) || layers.Count < 2)
        {
            return;
        }

        (MonitoredLayer Layer, double Ratio)[] ratios = [.. layers.SkipLast(1).Select(layer => (layer, layer.UpdateMedian() / last)).Where(entry => double.IsFinite(entry.Item2))];
        AddDepth(findings, GradientFault.Exploding, [.. ratios.Where(entry => entry.Ratio >= ExplodingRatio).OrderByDescending(entry => entry.Ratio)]);
        AddDepth(findings, GradientFault.Vanishing, [.. ratios.Where(entry => entry.Ratio <= VanishingRatio).OrderBy(entry => entry.Ratio)]);
    }

    private void AddDepth(List<GradientFinding> findings, GradientFault fault, (MonitoredLayer Layer, double Ratio)[] worst)
    {
        if (worst.Length == 0)
        {
            return;
        }

        (MonitoredLayer layer, double ratio) = worst[0];
        string others = worst.Length == 1
            ? string.Empty
            : $" So it is with {worst.Length - 1} more: layer {string.Join(", ", worst.Skip(1).Select(entry => entry.Layer.Place).Order())}.";
        string size = ratio == 0 ? "no gradient at all" : Text($"gradients {ratio:g2} times those of the last ({layer.KnownMedian:g2} against {layers[^1].KnownMedian:g2}, medians of {Math.Min(taken, window)} steps)");
        findings.Add(new GradientFinding(fault, layer.Name, ratio, $"{Capitalized(Described(layer))} receives {size}.{others}"));
    }

    private void AddDeadUnits(List<GradientFinding> findings)
    {
        foreach (UnitActivity activity in activities.Values)
        {
            List<int> dead = activity.Dead(DeadPasses);
            double share = (double)dead.Count / Math.Max(1, activity.UnitCount);
            if (dead.Count == 0 || share < DeadShare)
            {
                continue;
            }

            string place = activity.After is null || ReferenceEquals(activity.After.Module, activity.Layer) ? string.Empty : $", after {Described(activity.After)},";
            string units = string.Join(", ", dead.Take(ListedUnits)) + (dead.Count > ListedUnits ? ", …" : string.Empty);
            findings.Add(new GradientFinding(GradientFault.DeadUnits, MonitoredLayer.NameOf(activity.Layer), share, Text(
                $"{dead.Count} of the {activity.UnitCount} units of {Described(activity.Layer)}{place} are dead: they gave 0 for every example in the last {DeadPasses} watched passes or more ({units}). No gradient flows back through them.")));
        }
    }

    private void AddUpdates(List<GradientFinding> findings)
    {
        foreach (MonitoredLayer layer in layers.Where(layer => layer.HasUpdates && layer.UpdateRatio > LargeUpdateRatio))
        {
            findings.Add(new GradientFinding(GradientFault.LargeUpdate, layer.Name, layer.UpdateRatio, Text(
                $"A step changes the weights of {Described(layer)} by {layer.UpdateRatio:p0} of themselves (median of {MonitoredLayer.UpdateCount} steps); about 0.1 % is usual. The learning rate is high for it.")));
        }
    }

    private static string Capitalized(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
