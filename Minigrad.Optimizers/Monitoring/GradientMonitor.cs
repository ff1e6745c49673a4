using System.Globalization;
using System.Text;
using Minigrad.Layers;
using Minigrad.Plots;

namespace Minigrad.Optimizers.Monitoring;

/// <summary>
/// Watches the gradients of a model and says in plain words which layer's explode or vanish, along the layers, along the sequence
/// of a recurrent layer, or from one step to another; which units are dead; and whether steps are too large for the weights.
/// </summary>
/// <remarks>
/// <para><see cref="Add(StepReport)"/> alone costs next to nothing: it reads norms that the step has measured. What
/// <see cref="Watch"/> adds, dead units and gradients along sequences, needs the numbers of activations and gradients, and so is
/// looked at in every <see cref="WatchInterval"/>-th pass only; on a device those passes wait.</para>
/// <para>The ratios from which on something is found are set so that ordinary training is passed over in silence. They are where
/// float32 arithmetic and the usual optimizers begin to suffer, not laws.</para>
/// </remarks>
/// <example>
/// <code>
/// var monitor = new GradientMonitor(model);
/// …
/// using (monitor.Watch())
/// {
///     loss = Loss.CrossEntropy(model.Forward(x), y);
///     loss.Backward();
/// }
/// monitor.Add(optimizer.Step());
/// …
/// foreach (GradientFinding finding in monitor.Findings()) Console.WriteLine(finding);
/// </code>
/// </example>
public sealed partial class GradientMonitor
{
    /// <summary>A median of fewer steps than this says little.</summary>
    private const int FewestSteps = 10;
    private const int MostSteps = 1_000_000;

    /// <summary>Growth along fewer steps than this is no matter of sequences.</summary>
    private const int ShortestSequence = 5;

    private readonly List<MonitoredLayer> layers = [];
    private readonly Dictionary<Tensor, int> layerOf = [];
    private readonly Dictionary<Layer, UnitActivity> activities = [];
    private readonly Dictionary<(RecurrentLayer Layer, int Direction), double[]> sequences = [];
    private readonly ReportQueue queue;
    private readonly int window;
    private MonitoredLayer? lastRun;
    private IReadOnlyList<Tensor>? known;
    private IReadOnlyList<Tensor>? watched;
    private int[] places = [];
    private Tensor[]? weightsBefore;
    private int passes;
    private int added;
    private int taken;

    /// <summary>A monitor of a model, or of several that run one after another.</summary>
    /// <param name="models">The models, in the order in which they run; their layers count in the order of registration.</param>
    /// <exception cref="ArgumentException">The models have no parameter, or one of them is null.</exception>
    public GradientMonitor(params IReadOnlyList<Module> models)
        : this(100, models)
    {
    }

    /// <summary>A monitor with a window of its own.</summary>
    /// <param name="window">Over how many of the last steps medians are taken, from 10 to 1,000,000.</param>
    /// <param name="models">The models, in the order in which they run; their layers count in the order of registration.</param>
    /// <exception cref="ArgumentException">The models have no parameter, or one of them is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The window is too small or too large.</exception>
    public GradientMonitor(int window, params IReadOnlyList<Module> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        this.window = (int)Checked(window, nameof(window), window is >= FewestSteps and <= MostSteps, $"from {FewestSteps} to {MostSteps}: a median of fewer steps says little, and each layer keeps all of them");
        for (int i = 0; i < models.Count; i++)
        {
            AddLayers(models[i] ?? throw new ArgumentException($"GradientMonitor: model {i} of {models.Count} is null.", nameof(models)));
        }

        if (layers.Count == 0)
        {
            throw new ArgumentException("GradientMonitor was given no model with parameters, so there is no gradient to watch. Pass the model whose parameters the optimizer has.", nameof(models));
        }

        queue = new ReportQueue((report, _) => Take(report));
    }

    /// <summary>In every how many passes <see cref="Watch"/> looks, and at every how many steps weights are compared.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int WatchInterval
    {
        get;
        init => field = (int)Checked(value, nameof(WatchInterval), value > 0, "above 0: it is a number of passes, 1 for each");
    } = 10;

    /// <summary>
    /// A layer's norm of so many times its running median is an explosion; in the first ten steps, <see cref="ExplodingRatio"/> times.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a finite number above 1.</exception>
    public double SpikeRatio
    {
        get;
        init => field = Checked(value, nameof(SpikeRatio), value > 1, "above 1: it is how many times its running median a norm must be");
    } = 100;

    /// <summary>Gradients so many times those of the last layer, or of a sequence's last step, are exploding.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a finite number above 1.</exception>
    public double ExplodingRatio
    {
        get;
        init => field = Checked(value, nameof(ExplodingRatio), value > 1, "above 1: it is how many times a healthy gradient one must be");
    } = 1e4;

    /// <summary>Gradients of at most this part of those of the last layer, or of a sequence's last step, are vanishing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 0 and 1.</exception>
    public double VanishingRatio
    {
        get;
        init => field = Checked(value, nameof(VanishingRatio), value is > 0 and < 1, "above 0 and below 1: it is which part of a healthy gradient one may have come down to");
    } = 1e-4;

    /// <summary>Steps that change a layer's weights by more than this part of themselves are too large; 10⁻³ is usual.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public double LargeUpdateRatio
    {
        get;
        init => field = Checked(value, nameof(LargeUpdateRatio), value > 0, "above 0: it is which part of the weights a step may change");
    } = 0.2;

    /// <summary>A unit that gave 0 for every example in so many watched passes in a row is dead.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int DeadPasses
    {
        get;
        init => field = (int)Checked(value, nameof(DeadPasses), value > 0, "above 0: it is how many passes a unit must have been silent in");
    } = 10;

    /// <summary>From which part of a layer's units on dead ones are worth a word.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 0 and 1.</exception>
    public double DeadShare
    {
        get;
        init => field = Checked(value, nameof(DeadShare), value is >= 0 and <= 1, "between 0, at which one dead unit is told, and 1, at which a layer must be dead as a whole");
    } = 0.25;

    /// <summary>Each layer with parameters, in the order in which they run.</summary>
    public IReadOnlyList<LayerGradients> Layers
    {
        get
        {
            queue.Drain();
            double last = LastMedian();
            return [.. layers.Select(layer => new LayerGradients(
                layer.Name, layer.Place, layer.Norm, layer.UpdateMedian(), layer.KnownMedian / last, layer.UpdateRatio))];
        }
    }

    /// <summary>The gradients along the sequences of recurrent layers, as last watched.</summary>
    public IReadOnlyList<TimeGradients> TimeSteps =>
        [.. sequences.Select(entry => new TimeGradients(NameOf(entry.Key.Layer, entry.Key.Direction), entry.Value))];

    /// <summary>The layers that have dead units, and which.</summary>
    public IReadOnlyList<DeadUnits> DeadUnits =>
    [
        .. activities.Values
            .Select(activity => new DeadUnits(MonitoredLayer.NameOf(activity.Layer), activity.Dead(DeadPasses), activity.UnitCount))
            .Where(dead => dead.Units.Count > 0),
    ];

    /// <summary>
    /// Around a forward and backward pass: in every <see cref="WatchInterval"/>-th looks at what each layer gives and at the
    /// gradients along sequences, and in the others does nothing.
    /// </summary>
    /// <returns>What ends the watch, null where it does not look: <c>using (monitor.Watch()) { … loss.Backward(); }</c> takes both.</returns>
    public IDisposable? Watch()
    {
        lastRun = null;
        return passes++ % WatchInterval == 0 ? new WatchedPass(this) : null;
    }

    /// <summary>Adds a step, right after it was made.</summary>
    /// <param name="report">What the step gave.</param>
    /// <exception cref="ArgumentException">The step was of other parameters than the watched models'.</exception>
    public void Add(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        CheckIsWatched(report);
        queue.Add(report, null, null);
        CompareWeights();
    }

    /// <summary>The gradients along sequences as a chart, a line for each recurrent layer and direction; from the seventh on they are dashed.</summary>
    /// <param name="title">The heading.</param>
    /// <exception cref="InvalidOperationException">No recurrent layer was watched.</exception>
    public LineChart ToTimeChart(string title = "Gradient along the sequence") => new(
        title,
        "time step",
        new Panel("gradient norm", [.. TimeSteps.Select(time => new Series(time.Layer, [.. time.Norms.Select((norm, step) => ((double)(step + 1), norm))]))])
        {
            IsLogarithmic = true,
        });

    /// <summary>A table of the layers, and the findings.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.AppendLine("layer  gradient norm     median  to last  update/weight  name");
        foreach (LayerGradients layer in Layers)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{layer.Place,5}  {layer.Norm,13:g3}  {layer.MedianNorm,9:g3}  {layer.RatioToLast,7:g2}  {layer.UpdateRatio,13:g2}  {layer.Layer}");
        }

        IReadOnlyList<GradientFinding> findings = Findings();
        foreach (GradientFinding finding in findings)
        {
            text.AppendLine(finding.Message);
        }

        return text.Append(findings.Count == 0 ? "Nothing conspicuous." : string.Empty).ToString().TrimEnd();
    }

    /// <summary>Looks at a layer's output during a watched pass.</summary>
    internal void LookAtOutput(Layer layer, Tensor output)
    {
        lastRun = layers.Find(other => ReferenceEquals(other.Module, layer)) ?? lastRun;
        if (layer.Children.Count == 0 && layer is not Dropout && output.Rank > 1 && output.Length > 0)
        {
            if (!activities.TryGetValue(layer, out UnitActivity? activity))
            {
                activities[layer] = activity = new UnitActivity(layer, lastRun);
            }

            activity.Add(output);
        }
    }

    /// <summary>Takes the gradients along a sequence from a watched pass.</summary>
    internal void LookAtSequence(RecurrentLayer layer, int direction, double[] norms)
    {
        sequences[(layer, direction)] = norms;
        NoteSequence(layer, direction, norms);
    }

    /// <summary>The median norm of the last layer, to which others are compared.</summary>
    private double LastMedian() => layers[^1].UpdateMedian();

    private static double Checked(double value, string name, bool holds, string rule) => holds && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(
            name, value, $"GradientMonitor: {name} must be a finite number {rule}; it is {Text($"{value:g}")}.");

    private void AddLayers(Module module)
    {
        // A module's own parameters have names without a dot.
        Tensor[] own = [.. module.NamedParameters().Where(entry => !entry.Name.Contains('.', StringComparison.Ordinal) && !layerOf.ContainsKey(entry.Tensor)).Select(entry => entry.Tensor)];
        if (own.Length > 0)
        {
            foreach (Tensor parameter in own)
            {
                layerOf[parameter] = layers.Count;
            }

            layers.Add(new MonitoredLayer(module, own, layers.Count + 1, window));
        }

        foreach ((_, Module child) in module.Children)
        {
            AddLayers(child);
        }
    }

    /// <summary>Silence about a model that was never seen would pass for health.</summary>
    private void CheckIsWatched(StepReport report)
    {
        if (!ReferenceEquals(report.Parameters, watched))
        {
            watched = report.Parameters.Any(layerOf.ContainsKey)
                ? report.Parameters
                : throw new ArgumentException(
                    $"GradientMonitor.Add: step {report.Step} was of {report.ParameterCount} parameters, none of which is of the models that this monitor was given. Pass the model that the optimizer trains: new GradientMonitor(model).", nameof(report));
        }
    }

    private void Take(StepReport report)
    {
        // A dynamic scale finds its height by overflows, which say nothing of the gradients as long as there is a lower one.
        if (report.HasOverflowed && report.LossScale > 1)
        {
            return;
        }

        if (!ReferenceEquals(report.Parameters, known))
        {
            known = report.Parameters;
            places = [.. known.Select(parameter => layerOf.GetValueOrDefault(parameter, -1))];
        }

        double[] norms = report.Norms();
        for (int i = 0; i < norms.Length; i++)
        {
            if (places[i] >= 0)
            {
                MonitoredLayer layer = layers[places[i]];
                layer.Squares = (layer.Squares ?? 0) + (norms[i] * norms[i]);
            }
        }

        taken++;
        foreach (MonitoredLayer layer in layers)
        {
            layer.EndStep();
        }

        NoteStep(report.Step);
        if (taken <= FewestSteps || taken % (window / 4) == 0)
        {
            foreach (MonitoredLayer layer in layers)
            {
                layer.UpdateMedian();
            }
        }
    }

    /// <summary>Keeps the weights after every so many steps, and compares them with those after the next one.</summary>
    private void CompareWeights()
    {
        if (weightsBefore is not null)
        {
            CompareWith(weightsBefore);
            weightsBefore = null;
        }

        if (added++ % WatchInterval == 0)
        {
            weightsBefore = [.. layers.SelectMany(layer => layer.Parameters).Select(parameter => parameter.Detach().Clone())];
        }
    }

    private void CompareWith(Tensor[] before)
    {
        int place = 0;
        foreach (MonitoredLayer layer in layers)
        {
            double changes = 0, weights = 0;
            foreach (Tensor parameter in layer.Parameters)
            {
                Tensor old = before[place++];
                if (ReferenceEquals(old.Backend, parameter.Backend))
                {
                    changes += SquaredNorm(parameter.Detach() - old);
                    weights += SquaredNorm(parameter);
                }
            }

            if (weights > 0)
            {
                layer.AddUpdate(Math.Sqrt(changes / weights));
            }
        }
    }

    private static double SquaredNorm(Tensor tensor)
    {
        Span<double> norm = stackalloc double[1];
        tensor.Backend.Norms([tensor.Storage], 2, norm);
        return norm[0] * norm[0];
    }

    private static string NameOf(RecurrentLayer layer, int direction)
    {
        int directions = layer.OutputSize / layer.HiddenSize;
        string name = MonitoredLayer.NameOf(layer);
        string number = direction >= directions ? $", layer {(direction / directions) + 1}" : string.Empty;
        return $"{name}{number}{(direction % directions == 1 ? ", backward" : string.Empty)}";
    }
}
