using System.Globalization;
using MathNet.Numerics.Statistics;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// The record of a run: what every step measured and did, from the first to the last, in bounded memory.
/// </summary>
/// <remarks>
/// <para>A ring would forget how a run began, which is what one wants to see when it has gone wrong. So a full history is
/// thinned: neighbouring rows become one, which from then on stands for twice as many steps. A row keeps the measurements of its
/// first step, and of all its steps the largest norm and how many were clipped and skipped: no spike is lost, and the rows are
/// an even sample of the run, so that their quantiles are those of the run.</para>
/// <para>On a device nothing waits: reports are read when the optimizer looks at what became of its steps
/// (<see cref="Optimizer.CheckInterval"/>), all together, or before the device forgets the first of them. Reading the history in
/// between waits.</para>
/// </remarks>
/// <example>
/// <code>
/// var history = new StepHistory();
/// …
/// loss.Backward();
/// history.Add(optimizer.Step(), loss);
/// …
/// history.ToChart().Save("norms.svg");
/// </code>
/// </example>
public sealed partial class StepHistory
{
    private const int LeastCapacity = 16;

    private readonly List<StepRow> rows = [];
    private readonly List<ParameterNormRow> normRows = [];

    /// <summary>Arrays of rows that are gone, for new ones: no step allocates. None is here that a caller may have.</summary>
    private readonly Stack<double?[]> spare = new();

    private readonly List<string> names = [];
    private readonly Dictionary<Tensor, int> columns = [];
    private readonly ReportQueue queue;
    private IReadOnlyList<Tensor>? known;
    private int[] places = [];
    private int stepsUntilNorms;
    private int normStride = 1;

    /// <summary>How many of the first rows of norms a caller may have.</summary>
    private int handedOut;

    /// <summary>An empty history.</summary>
    /// <param name="capacity">How many rows it has at most, an even number of at least 16; a row takes about a hundred bytes.</param>
    /// <param name="normCapacity">How many rows of parameter norms it has at most, an even number of at least 16; a row takes eight bytes for each parameter.</param>
    /// <exception cref="ArgumentOutOfRangeException">A capacity is odd or too small.</exception>
    public StepHistory(int capacity = 4096, int normCapacity = 256)
    {
        Capacity = CheckCapacity(capacity, nameof(capacity));
        NormCapacity = CheckCapacity(normCapacity, nameof(normCapacity));
        queue = new ReportQueue(Take);
    }

    /// <summary>How many rows there are at most.</summary>
    public int Capacity { get; }

    /// <summary>How many rows of parameter norms there are at most.</summary>
    public int NormCapacity { get; }

    /// <summary>
    /// Every how many steps the norms of all parameters are kept at first; it doubles when <see cref="NormCapacity"/> is
    /// reached. At these steps the clipped norm is known after a value stage too, on the CPU.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int NormInterval
    {
        get;
        init => field = value > 0
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(NormInterval), value, $"StepHistory: NormInterval is every how many steps the norms of all parameters are kept, 1 for each, and must be positive, but it is {value}.");
    } = 10;

    /// <summary>How many steps each full row stands for, 1 until the history is full for the first time; doubles each time.</summary>
    public int Stride { get; private set; } = 1;

    /// <summary>The rows, in order. Reading them may wait for a device, as for all that follows.</summary>
    public IReadOnlyList<StepRow> Rows
    {
        get
        {
            queue.Drain();
            return rows;
        }
    }

    /// <summary>The names of the parameters that had a gradient, in order of appearance.</summary>
    public IReadOnlyList<string> ParameterNames
    {
        get
        {
            queue.Drain();
            return names;
        }
    }

    /// <summary>The norms of all parameters at some steps, evenly spread, as they are now: later steps change nothing in what was read.</summary>
    public IReadOnlyList<ParameterNormRow> ParameterNorms
    {
        get
        {
            queue.Drain();
            handedOut = normRows.Count;
            return [.. normRows];
        }
    }

    /// <summary>How many steps were added, skipped ones included.</summary>
    public int StepCount => Rows.Sum(row => row.Steps);

    /// <summary>How many of them were clipped.</summary>
    public int ClippedSteps => Rows.Sum(row => row.ClippedSteps);

    /// <summary>How many of them were skipped.</summary>
    public int SkippedSteps => Rows.Sum(row => row.SkippedSteps);

    /// <summary>The largest norm of all steps, skipped ones included; NaN if one was, or if there is none.</summary>
    public double LargestNorm => Rows.Count == 0 ? double.NaN : rows.Aggregate(0.0, (largest, row) => Math.Max(largest, row.LargestNorm));

    /// <summary>Adds a step.</summary>
    /// <param name="report">What the step gave.</param>
    public void Add(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        queue.Add(report, null, null);
    }

    /// <summary>Adds a step with its loss.</summary>
    /// <param name="report">What the step gave.</param>
    /// <param name="loss">The loss that it went down from.</param>
    public void Add(StepReport report, double loss)
    {
        ArgumentNullException.ThrowIfNull(report);
        queue.Add(report, null, loss);
    }

    /// <summary>Adds a step with its loss, as <see cref="Tensor.Item"/> gives it.</summary>
    /// <param name="report">What the step gave.</param>
    /// <param name="loss">The loss that it went down from.</param>
    public void Add(StepReport report, float loss) => Add(report, (double)loss);

    /// <summary>Adds a step with its loss, which on a device is read later, together with others.</summary>
    /// <param name="report">What the step gave.</param>
    /// <param name="loss">The loss that it went down from, a single number.</param>
    /// <exception cref="ShapeException">The loss is not a single number.</exception>
    public void Add(StepReport report, Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.Length != 1)
        {
            throw new ShapeException(
                $"StepHistory.Add records one number for a step, but the loss has shape {loss.Shape}, {loss.Length} elements. Give what Backward began from: loss.Mean() or loss.Sum().");
        }

        queue.Add(report, loss, null);
    }

    /// <summary>What happened, in a line.</summary>
    public override string ToString()
    {
        if (Rows.Count == 0)
        {
            return "No step was recorded.";
        }

        double[] norms = FiniteNorms();
        string sizes = norms.Length == 0
            ? "no gradient norm was finite"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"gradient norm: median {Quantile(norms, 0.5):g3}, p95 {Quantile(norms, 0.95):g3}, largest {LargestNorm:g3}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{StepCount} steps, {ClippedSteps} clipped ({(double)ClippedSteps / StepCount:P1}), {SkippedSteps} skipped; {sizes}.");
    }

    /// <summary>The finite norms of the rows, sorted: an even sample of the run.</summary>
    internal double[] FiniteNorms()
    {
        double[] norms = [.. Rows.Select(row => row.Norm).Where(double.IsFinite)];
        Array.Sort(norms);
        return norms;
    }

    /// <summary>A quantile by linear interpolation between neighbours, as NumPy has it; where a neighbour is +∞, the upper one.</summary>
    internal static double Quantile(double[] sorted, double part)
    {
        double quantile = SortedArrayStatistics.QuantileCustom(sorted, part, QuantileDefinition.R7);
        return double.IsNaN(quantile) && sorted.Length > 0 ? sorted[(int)Math.Ceiling(part * (sorted.Length - 1))] : quantile;
    }

    private static int CheckCapacity(int capacity, string name) =>
        capacity >= LeastCapacity && int.IsEvenInteger(capacity)
            ? capacity
            : throw new ArgumentOutOfRangeException(
                name, capacity, $"StepHistory: {name} is how many rows are kept before neighbours are joined, and must be an even number of at least {LeastCapacity}, but it is {capacity}.");

    private void Take(StepReport report, double? loss)
    {
        bool keepsNorms = stepsUntilNorms == 0;
        StepRow row = RowOf(report, loss, mayMeasure: keepsNorms);
        if (keepsNorms)
        {
            AddNorms(report);
            stepsUntilNorms = NormInterval * normStride;
        }

        stepsUntilNorms--;
        AddRow(row);
    }

    private static StepRow RowOf(StepReport report, double? loss, bool mayMeasure)
    {
        StageReport? stage = Decisive(report.GradientStages);
        bool wasClipped = stage is { Acted: true };
        double? clippedNorm = mayMeasure && report.CanMeasureClippedNorm ? report.ClippedNorm : report.KnownClippedNorm;
        return new StepRow(
            report.Step,
            report.Norm,
            clippedNorm ?? double.NaN,
            report.Coefficient,
            stage?.Threshold ?? double.NaN,
            stage?.Stage,
            wasClipped,
            report.WasSkipped,
            loss,
            Steps: 1,
            LargestNorm: report.Norm,
            ClippedSteps: wasClipped ? 1 : 0,
            SkippedSteps: report.WasSkipped ? 1 : 0)
        {
            LargestMadeNorm = report.WasSkipped ? 0 : report.Norm,
        };
    }

    /// <summary>Of the stages that acted the one that scaled most, or the first if none acted.</summary>
    private static StageReport? Decisive(StageReport[] stages)
    {
        StageReport? decisive = null;
        for (int i = 0; i < stages.Length; i++)
        {
            StageReport stage = stages[i];
            if (decisive is not { } best || (stage.Acted && (!best.Acted || stage.Coefficient < best.Coefficient)))
            {
                decisive = stage;
            }
        }

        return decisive;
    }

    private void AddRow(StepRow row)
    {
        if (rows.Count > 0 && rows[^1].Steps < Stride)
        {
            rows[^1] = rows[^1].With(row);
            return;
        }

        if (rows.Count == Capacity)
        {
            for (int i = 0; i < Capacity / 2; i++)
            {
                rows[i] = rows[2 * i].With(rows[(2 * i) + 1]);
            }

            rows.RemoveRange(Capacity / 2, Capacity / 2);
            Stride *= 2;
        }

        rows.Add(row);
    }

    private void AddNorms(StepReport report)
    {
        double[] measured = report.Norms();
        if (normRows.Count == NormCapacity)
        {
            for (int i = 0; i < NormCapacity; i++)
            {
                if (int.IsEvenInteger(i))
                {
                    normRows[i / 2] = normRows[i];
                }
                else if (i >= handedOut)
                {
                    spare.Push((double?[])normRows[i].Norms);
                }
            }

            normRows.RemoveRange(NormCapacity / 2, NormCapacity / 2);
            handedOut = (handedOut + 1) / 2;
            normStride *= 2;
        }

        FindColumns(report);
        double?[] norms = spare.TryPop(out double?[]? used) && used.Length == names.Count ? used : new double?[names.Count];
        Array.Fill(norms, null);
        for (int i = 0; i < measured.Length; i++)
        {
            norms[places[i]] = measured[i];
        }

        normRows.Add(new ParameterNormRow(report.Step, norms));
    }

    /// <summary>The column of each parameter of a report. Most reports are of the same list of parameters.</summary>
    private void FindColumns(StepReport report)
    {
        IReadOnlyList<Tensor> parameters = report.Parameters;
        if (ReferenceEquals(parameters, known))
        {
            return;
        }

        places = new int[parameters.Count];
        for (int i = 0; i < places.Length; i++)
        {
            if (!columns.TryGetValue(parameters[i], out places[i]))
            {
                places[i] = columns[parameters[i]] = names.Count;
                names.Add(report.NameOf(i));
            }
        }

        known = parameters;
    }
}
