using Minigrad.Backends;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// Hands reports on in order, those of a device only once reading them makes nobody wait: when the optimizer has looked at what
/// became of its steps, or at the latest before a record is lost, for which the device's steps ask (<see cref="Drain"/>). So who
/// listens adds no synchronisation to a step.
/// </summary>
internal sealed class ReportQueue
{
    private readonly Action<StepReport, double?> take;
    private readonly Action drain;

    // None but reports of devices, of which the host has not seen the step.
    private readonly Queue<(StepReport Report, Tensor? Loss, double? Value)> waiting = new();

    /// <summary>An empty queue.</summary>
    /// <param name="take">Takes a report, and the loss if there was one; as a whole, or not at all where the report can't be read.</param>
    public ReportQueue(Action<StepReport, double?> take) => (this.take, drain) = (take, Drain);

    /// <summary>Adds a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="loss">The loss as a tensor of one element, or null.</param>
    /// <param name="value">The loss as a number, or null.</param>
    /// <exception cref="InvalidOperationException">A device has forgotten it.</exception>
    public void Add(StepReport report, Tensor? loss, double? value)
    {
        if (report.IsKnown || report.IsLost)
        {
            Drain();
            take(report, loss?.Item() ?? value);
            return;
        }

        waiting.Enqueue((report, loss?.Detach().Reshape(1), value));
        report.ReadBeforeItIsLost(drain);
    }

    /// <summary>Hands on all that waits, which may have to wait for a device.</summary>
    public void Drain()
    {
        if (waiting.Count == 0)
        {
            return;
        }

        StepReport[] read = [.. waiting.Select(entry => entry.Report)];
        double?[] losses = Losses();
        for (int i = 0; i < losses.Length; i++)
        {
            // What could not be read waits on.
            take(read[i], losses[i]);
            waiting.Dequeue();
        }

        foreach (StepReport report in read)
        {
            report.WasRead(drain);
        }
    }

    /// <summary>The loss of each report that waits: one transfer for all of a backend, not one for each.</summary>
    private double?[] Losses()
    {
        (StepReport Report, Tensor? Loss, double? Value)[] entries = [.. waiting];
        double?[] losses = Array.ConvertAll(entries, entry => entry.Value);
        IEnumerable<IGrouping<Backend, int>> backends = Enumerable.Range(0, entries.Length)
            .Where(i => entries[i].Loss is not null)
            .GroupBy(i => entries[i].Loss!.Backend);
        foreach (IGrouping<Backend, int> places in backends)
        {
            float[] numbers = Tensor.Concatenate([.. places.Select(i => entries[i].Loss!)]).ToArray();
            foreach ((int number, int place) in places.Index())
            {
                losses[place] = numbers[number];
            }
        }

        return losses;
    }
}
