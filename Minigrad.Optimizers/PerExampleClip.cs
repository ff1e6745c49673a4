using Minigrad.Backends;
using Minigrad.Operations;
using Minigrad.Optimizers.Clipping;
using Minigrad.Optimizers.Thresholds;

namespace Minigrad.Optimizers;

/// <summary>
/// Clips the gradient of each example of a batch by itself, so that none counts for more than the threshold, and adds noise if
/// asked to: g ← (Σᵢ gᵢ · C / max(‖gᵢ‖, C) + σ · C · z) / B with z standard normal (differentially private SGD, Abadi et al.,
/// 2016, arXiv:1607.00133). ‖gᵢ‖ is over all parameters together.
/// </summary>
/// <remarks>
/// <para>Examples go through forward and backward one by one, so a batch of B costs B passes. A layer that looks at the whole
/// batch, as batch normalisation, has no gradient of one example; leave it out of the model.</para>
/// <para>C may be any <see cref="Minigrad.Optimizers.Threshold"/>. A schedule takes a step with each batch. A rule sees the norms of
/// examples, one after the other, each as a step of its own; a batch that fails leaves no trace. With noise C must not follow the
/// norms: what it came to would tell of the examples.</para>
/// <para>Which σ gives which privacy is not computed here.</para>
/// </remarks>
public sealed class PerExampleClip
{
    private readonly ThresholdStage stage;
    private readonly double noise;

    /// <summary>A clip of each example's gradient.</summary>
    /// <param name="threshold">C, the largest norm of an example's gradient: a number, a schedule or a rule; +∞ measures and never clips.</param>
    /// <param name="noise">σ, the standard deviation of the noise as a multiple of C; 0 for none.</param>
    /// <param name="generator">Where the noise comes from; <see cref="Generator.Default"/> if null. The same generator gives the same noise on every backend.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is 0, negative or NaN; σ is negative or not finite.</exception>
    /// <exception cref="ArgumentException">σ is given with a threshold that is infinite or follows the norms.</exception>
    public PerExampleClip(Threshold threshold, double noise = 0, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(threshold);
        threshold.Check(nameof(PerExampleClip), nameof(threshold));
        this.noise = noise >= 0 && double.IsFinite(noise) ? noise : throw new ArgumentOutOfRangeException(
            nameof(noise), noise, $"PerExampleClip: the noise is a multiple of the threshold and must be a finite number that is not negative, but it is {noise}.");
        if (noise > 0 && threshold.SeesNorms)
        {
            throw new ArgumentException(
                $"PerExampleClip: the threshold '{threshold}' follows the norms of examples, and so tells of them; noise of {noise} times it would hide less than it seems to. Give a number or a schedule, or no noise.", nameof(threshold));
        }

        if (noise > 0 && !threshold.IsScheduled && double.IsPositiveInfinity(Constant(threshold.At(0, nameof(PerExampleClip), nameof(threshold)))))
        {
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, WhyNoNoise());
        }

        stage = (ThresholdStage)Clip.GlobalNorm(threshold);
        Threshold = threshold;
        Generator = generator ?? Generator.Default;
    }

    /// <summary>C, the largest norm of an example's gradient.</summary>
    public Threshold Threshold { get; }

    /// <summary>Where the noise comes from. Its place is part of the state of a run.</summary>
    public Generator Generator { get; }

    /// <summary>
    /// Leaves in <see cref="Tensor.Gradient"/> of each parameter the mean of the examples' clipped gradients, for the optimizer's
    /// step that follows. A parameter that no example reaches has no gradient, or one of noise alone.
    /// </summary>
    /// <param name="parameters">The parameters, as model.Parameters; frozen ones are passed over.</param>
    /// <param name="count">B, how many examples the batch has.</param>
    /// <param name="loss">The loss of an example, by its number from 0, without a loss scale. It is called once for each, in order.</param>
    /// <returns>What was measured.</returns>
    /// <exception cref="ArgumentException">A parameter is null or is given twice, there is no example, a loss is null, no parameter that asks for a gradient, or one has a gradient already; it keeps that.</exception>
    /// <exception cref="NonFiniteGradientException">The gradient of an example is not finite. After this and any other error once the examples have begun no parameter has a gradient.</exception>
    /// <exception cref="InvalidOperationException">
    /// A loss was multiplied by a loss scale, so that its gradient would be clipped too much; or a schedule gives no positive threshold, or an infinite one with noise.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The schedule of the threshold has ended.</exception>
    public PerExampleReport Backward(IEnumerable<Tensor> parameters, int count, Func<int, Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(loss);
        Tensor[] own = Learning([.. parameters]);
        Check(own, count);
        StageState before = State();
        Tensor?[] sums = new Tensor?[own.Length];
        double[] norms = new double[count];
        int clipped = 0;
        double losses = 0;
        int example = 0;
        try
        {
            stage.History.Begin(this);
            if (noise > 0 && double.IsPositiveInfinity(Constant(stage.History.Rule)))
            {
                throw new InvalidOperationException(WhyNoNoise());
            }

            for (; example < count; example++)
            {
                Tensor value = loss(example) ?? throw new ArgumentException(
                    $"PerExampleClip.Backward: the loss of example {example} is null. Return the loss of one example: i => Loss.MeanSquare(model.Forward(x[i]), target[i]).", nameof(loss));
                value.Backward();
                losses += value.Item();
                norms[example] = stage.ApplyInStep(own, out bool hasActed);
                clipped += hasActed ? 1 : 0;
                AddTo(sums, own);
            }
        }
        catch (Exception error)
        {
            // The gradient of one example must not be taken for that of the batch, nor its norms for those of one that was used.
            Forget(own);
            Restore(before);
            if (error is NonFiniteGradientException)
            {
                throw new NonFiniteGradientException($"PerExampleClip.Backward, example {example}: {error.Message}", error);
            }

            throw;
        }

        Finish(sums, own, count);
        return new PerExampleReport(norms, clipped, losses / count);
    }

    /// <summary>What the threshold remembers, a copy: how many batches there were, and what a rule keeps of the norms. The <see cref="Generator"/> is not part of it.</summary>
    public StageState State() => stage.History.State([]);

    /// <summary>Continues where a state was taken.</summary>
    /// <param name="state">The state, of a clip with the same threshold.</param>
    /// <exception cref="ArgumentException">The state is of another threshold, or is damaged.</exception>
    public void Restore(StageState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!stage.History.Fits(state, []))
        {
            throw new ArgumentException(
                $"PerExampleClip.Restore: the state is of {state.Stage}, but this clip has {stage}. Make the clip with the threshold that it was saved with.", nameof(state));
        }

        stage.History.CheckMemories(state, $"{nameof(PerExampleClip)}.{nameof(Restore)}", "without one a history begins anew.");
        stage.History.Restore(state, []);
    }

    /// <summary>C where it does not follow the norms.</summary>
    private static double Constant(AppliedRule rule) => rule.Threshold(0, 0, [], 0);

    private string WhyNoNoise() =>
        $"PerExampleClip: noise of {noise} times an infinite threshold has no size. Without a bound on what one example counts for, no noise hides it: give a finite threshold.";

    /// <summary>Those that are not frozen.</summary>
    private static Tensor[] Learning(Tensor?[] parameters)
    {
        int missing = Array.IndexOf(parameters, null);
        return missing < 0
            ? [.. parameters.OfType<Tensor>().Where(parameter => parameter.RequiresGradient)]
            : throw new ArgumentException($"PerExampleClip.Backward: parameter {missing} is null. Pass model.Parameters.", nameof(parameters));
    }

    private static void Check(Tensor[] parameters, int count)
    {
        if (count <= 0)
        {
            throw new ArgumentException(
                $"PerExampleClip.Backward was given {count} examples. The mean over a batch divides by their number, so there must be at least one; where batches are drawn at random, pass over the step of an empty one.", nameof(count));
        }

        if (parameters.Length == 0)
        {
            throw new ArgumentException(
                "PerExampleClip.Backward was given no parameter that asks for a gradient. Pass model.Parameters, of which some are not frozen.", nameof(parameters));
        }

        HashSet<Tensor> seen = [];
        int again = Array.FindIndex(parameters, parameter => !seen.Add(parameter));
        if (again >= 0)
        {
            throw new ArgumentException(
                $"PerExampleClip.Backward: '{NonFiniteGradients.NameOf(parameters[again], again)}' of shape {parameters[again].Shape} was given twice and would be counted and clipped twice. Give each parameter once; module.Parameters lists a tied one once.",
                nameof(parameters));
        }

        int known = Array.FindIndex(parameters, parameter => parameter.GatheredGradient is not null);
        if (known >= 0)
        {
            throw new ArgumentException(
                $"PerExampleClip.Backward: '{NonFiniteGradients.NameOf(parameters[known], known)}' has a gradient already, which would be clipped with that of the first example. Call ZeroGradients() before.", nameof(parameters));
        }
    }

    private static void Forget(Tensor[] parameters)
    {
        foreach (Tensor parameter in parameters)
        {
            parameter.Gradient = null;
        }
    }

    /// <summary>Adds the gradients to the sums, and lets go of them.</summary>
    private static void AddTo(Tensor?[] sums, Tensor[] parameters)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].GatheredGradient is { } gradient)
            {
                sums[i] ??= Zeros(parameters[i]);
                Add(gradient, sums[i]!);
            }
        }

        Forget(parameters);
    }

    private static Tensor Zeros(Tensor parameter) => Tensor.Zeros([.. parameter.Shape.Dimensions]).To(parameter.Backend);

    private static void Add(Tensor term, Tensor sum)
    {
        sum.Backend.Zip(default(Add), new Operand(sum.Storage), new Operand(term.Storage), sum.Storage);
        sum.Storage.MarkChanged();
    }

    private void Finish(Tensor?[] sums, Tensor[] parameters, int count)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (noise > 0)
            {
                sums[i] ??= Zeros(parameters[i]);
                Tensor drawn = Tensor.Normal(
                    [.. parameters[i].Shape.Dimensions], standardDeviation: (float)(noise * Constant(stage.History.Rule)), generator: Generator);
                Add(drawn.To(parameters[i].Backend), sums[i]!);
            }

            if (sums[i] is { } sum)
            {
                sum.Backend.Map(new Scaled((float)(1.0 / count), 1f), sum.Storage, sum.Storage);
                sum.Storage.MarkChanged();
                parameters[i].Gradient = sum;
            }
        }
    }
}
