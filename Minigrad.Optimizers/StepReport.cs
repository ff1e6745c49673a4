using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>What a step did. Every step is measured, also with clipping off.</summary>
/// <remarks>
/// After a step on a device a report is read from there when it is first asked, which waits for the device; the last 64
/// steps can be asked for.
/// </remarks>
public sealed class StepReport
{
    private readonly IReadOnlyList<Tensor> parameters;

    /// <summary>The parameters' numbers among all of the optimizer's, or null if all had a gradient.</summary>
    private readonly int[]? places;

    /// <summary>Copies of the gradients as they were pending, only if a bound makes it necessary to measure them.</summary>
    private readonly PendingGradient[]? bounded;
    private readonly int[]? versions;
    private readonly DeferredReport? source;
    private double[]? norms;
    private double[]? updateCoefficients;
    private StepMeasurement? measurement;
    private double? clippedNorm;
    private StageReport[]? stages;
    private StageReport[]? updateStages;

    /// <summary>Records what it needs: the gradients' set is used again by the next step.</summary>
    internal StepReport(
        IReadOnlyList<Tensor> parameters,
        int[]? places,
        double[] norms,
        GradientSet clipped,
        StageReport[] stages,
        StageReport[] updateStages,
        int step,
        bool wasSkipped,
        double lossScale,
        bool hasOverflowed,
        double[]? updateCoefficients)
    {
        this.updateCoefficients = updateCoefficients;
        this.updateStages = updateStages;
        this.parameters = parameters;
        this.places = places;
        this.norms = norms;
        this.stages = stages;
        bool hasBound = HasBound(clipped);
        measurement = new StepMeasurement(
            step,
            GradientSet.NormOfNorms(norms, 2),
            clipped.NormBeforeBounds(),
            hasBound,
            HasZeroed: false,
            clipped.Coefficient,
            clipped.IsScaled,
            wasSkipped,
            lossScale,
            hasOverflowed);
        if (hasBound)
        {
            bounded = new PendingGradient[norms.Length];
            versions = new int[norms.Length];
            for (int i = 0; i < bounded.Length; i++)
            {
                bounded[i] = clipped.Gradients[i].Copy();
                versions[i] = bounded[i].Gradient.Storage.Version;

                // It may be measured when its parameter has let go of it.
                bounded[i].Parameter.KeepGradient();
            }
        }
    }

    /// <summary>Remembers where to ask.</summary>
    internal StepReport(IReadOnlyList<Tensor> parameters, int[]? places, DeferredReport source) =>
        (this.parameters, this.places, this.source) = (parameters, places, source);

    /// <summary>Which step this was, from 1; a skipped step has the number that it would have had.</summary>
    public int Step => Measurement.Step;

    /// <summary>The L2 norm of all gradients together, unscaled and averaged, before clipping.</summary>
    public double Norm => Measurement.Norm;

    /// <summary>
    /// The norm after clipping. After a value stage it is measured when it is first read, which takes a pass over the
    /// gradients; read it before the next backward then.
    /// </summary>
    /// <exception cref="InvalidOperationException">The gradients have changed since the step.</exception>
    public double ClippedNorm => clippedNorm ??= Measurement.HasBound || Measurement.HasZeroed ? MeasureClippedNorm() : Measurement.NormBeforeBounds;

    /// <summary>The product of the coefficients that global norm stages applied to all gradients; 1 if none acted.</summary>
    public double Coefficient => Measurement.Coefficient;

    /// <summary>Whether clipping changed a gradient.</summary>
    public bool WasClipped => Measurement.IsScaled || GradientStages.Any(stage => stage.Acted);

    /// <summary>Whether the step was not made, by <see cref="NonFinitePolicy.SkipStep"/> or for an overflow of a dynamic loss scale.</summary>
    public bool WasSkipped => Measurement.WasSkipped;

    /// <summary>The loss scale in force, which the gradients were divided by; 1 without <see cref="Optimizer.LossScaling"/>.</summary>
    public double LossScale => Measurement.LossScale;

    /// <summary>Whether the step was skipped because gradients had overflowed under a dynamic loss scale, which is lower from then on.</summary>
    public bool HasOverflowed => Measurement.HasOverflowed;

    /// <summary>How many parameters had a gradient.</summary>
    public int ParameterCount => parameters.Count;

    /// <summary>The parameters that had no gradient, and so were not updated.</summary>
    public IReadOnlyList<string> WithoutGradient { get; internal init; } = [];

    /// <summary>The name and the gradient's norm before clipping of each parameter that had one.</summary>
    public IReadOnlyList<(string Name, double Norm)> ParameterNorms =>
        [.. Norms().Select((norm, i) => (NameOf(i), norm))];

    /// <summary>The parameters that had a gradient.</summary>
    internal IReadOnlyList<Tensor> Parameters => parameters;

    /// <summary>Whether reading the report waits for no device.</summary>
    internal bool IsKnown => measurement is not null || source!.IsKnown;

    /// <summary>Whether a device has forgotten the step, so that no more is known of it than what has been read.</summary>
    internal bool IsLost => source is { IsLost: true };

    /// <summary>The norm after clipping, or null where it would have to be measured.</summary>
    internal double? KnownClippedNorm =>
        clippedNorm ?? (Measurement.HasBound || Measurement.HasZeroed ? null : Measurement.NormBeforeBounds);

    /// <summary>Whether the norm after clipping can be measured without asking a device.</summary>
    internal bool CanMeasureClippedNorm => source is null;

    /// <summary>
    /// What each clipping stage measured and did, in the order in which they acted: those of groups with stages of their own,
    /// then the optimizer's, then <see cref="Spam"/>'s threshold where it follows the past, then the clips of updates likewise. Empty after a step that was not made because a gradient was not
    /// finite: it reached no stage. No step that was not made reached <see cref="Spam"/>'s or a clip of updates.
    /// </summary>
    public IReadOnlyList<StageReport> Stages => UpdateStages.Length == 0 ? GradientStages : [.. GradientStages, .. UpdateStages];

    /// <summary>What each stage that clips gradients did.</summary>
    internal StageReport[] GradientStages => stages ??= source!.Stages();

    private StageReport[] UpdateStages => updateStages ??= WasSkipped ? [] : source!.UpdateStages();

    /// <summary>The smallest of the coefficients by which <see cref="Optimizer.UpdateClip"/> or a group's has multiplied an update; 1 if it did not act, NaN if an update is NaN.</summary>
    public double UpdateCoefficient => PartsMade().Append(1).Min();

    /// <summary>The name of each parameter that had a gradient, and by what its update was multiplied; 1 where nothing was clipped.</summary>
    public IReadOnlyList<(string Name, double Coefficient)> UpdateCoefficients =>
        [.. PartsMade().Select((part, i) => (NameOf(i), part))];

    private StepMeasurement Measurement => measurement ??= source!.Measurement();

    /// <summary>The norm and its coefficient, in a line for a log.</summary>
    public override string ToString() => HasOverflowed
        ? FormattableString.Invariant($"step {Step}: skipped, overflow under loss scale {LossScale:g6}")
        : WasSkipped
        ? FormattableString.Invariant($"step {Step}: skipped, gradient norm {Norm:g4}")
        : FormattableString.Invariant($"step {Step}: gradient norm {Norm:g4}, coefficient {Coefficient:g4}");

    private static bool HasBound(GradientSet gradients)
    {
        foreach (PendingGradient gradient in gradients.Gradients)
        {
            if (!gradient.HasKnownNorm)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What messages call one of <see cref="Parameters"/>.</summary>
    internal string NameOf(int parameter) =>
        NonFiniteGradients.NameOf(parameters[parameter], places is null ? parameter : places[parameter]);

    /// <summary>Asks to be called before a device forgets the step, which nothing else forgets.</summary>
    /// <param name="read">Reads the report.</param>
    internal void ReadBeforeItIsLost(Action read) => source?.ReadBeforeItIsLost(read);

    /// <summary>Asks for no call any more, for this and all other reports of the same steps.</summary>
    /// <param name="read">What would have been called.</param>
    internal void WasRead(Action read) => source?.WasRead(read);

    /// <summary>The gradient's norm before clipping of each of <see cref="Parameters"/>.</summary>
    internal double[] Norms() => norms ??= source!.Norms();

    /// <summary>All of it where there was no clip, or no step.</summary>
    private double[] PartsMade() => updateCoefficients ??= source is null || WasSkipped
        ? [.. Enumerable.Repeat(1.0, ParameterCount)]
        : source.PartsMade();

    private double MeasureClippedNorm()
    {
        if (source is not null)
        {
            return GradientSet.NormOfNorms(source.ClippedNorms() ?? throw HaveChanged(), 2);
        }

        double[] clipped = new double[bounded!.Length];
        for (int i = 0; i < clipped.Length; i++)
        {
            PendingGradient gradient = bounded[i];
            if (!gradient.HasKnownNorm && gradient.Gradient.Storage.Version != versions![i])
            {
                throw HaveChanged();
            }

            clipped[i] = gradient.MeasureClippedNorm();
        }

        return GradientSet.NormOfNorms(clipped, 2);
    }

    private InvalidOperationException HaveChanged() => new(
        $"ClippedNorm of step {Step} was read after its gradients had changed. Read it right after Step(), before the next Backward().");
}
