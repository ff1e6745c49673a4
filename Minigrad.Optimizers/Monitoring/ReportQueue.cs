namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// Hands reports on in order, those of a device only once reading them makes nobody wait: when the optimizer has looked at what
/// became of its steps, or at the latest before a record is lost. So who listens adds no synchronisation to a step.
/// </summary>
/// <param name="take">Takes a report, and the loss if there was one.</param>
internal sealed class ReportQueue(Action<StepReport, double?> take)
{
    private readonly Queue<(StepReport Report, Tensor? Loss, double? Value)> waiting = new();

    /// <summary>Adds a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="loss">The loss as a tensor of one element, or null.</param>
    /// <param name="value">The loss as a number, or null.</param>
    public void Add(StepReport report, Tensor? loss, double? value)
    {
        if (waiting.Count == 0 && report.IsKnown)
        {
            take(report, loss?.Item() ?? value);
            return;
        }

        waiting.Enqueue((report, loss?.Detach().Reshape(1), value));
        if (report.IsKnown || waiting.Peek().Report.IsAboutToBeLost)
        {
            Drain();
        }
    }

    /// <summary>Hands on all that waits, which may have to wait for a device.</summary>
    public void Drain()
    {
        if (waiting.Count == 0)
        {
            return;
        }

        // One transfer for all losses, not one for each.
        Tensor[] tensors = [.. waiting.Where(entry => entry.Loss is not null).Select(entry => entry.Loss!)];
        float[] losses = tensors.Length == 0 ? [] : Tensor.Concatenate(tensors).ToArray();
        int place = 0;
        while (waiting.TryDequeue(out (StepReport Report, Tensor? Loss, double? Value) entry))
        {
            take(entry.Report, entry.Loss is null ? entry.Value : losses[place++]);
        }
    }
}
