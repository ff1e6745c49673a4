using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>What a step did. Every step is measured, also with clipping off.</summary>
public sealed class StepReport
{
    private readonly IReadOnlyList<Tensor> parameters;
    private readonly double[] norms;
    private readonly bool isScaled;
    private readonly double normBeforeBounds;

    /// <summary>Copies of the gradients as they were pending, only if a bound makes it necessary to measure them.</summary>
    private readonly PendingGradient[]? bounded;
    private readonly int[]? versions;
    private double? clippedNorm;

    /// <summary>Records what it needs: the gradients' set is used again by the next step.</summary>
    internal StepReport(IReadOnlyList<Tensor> parameters, double[] norms, GradientSet clipped, int step)
    {
        this.parameters = parameters;
        this.norms = norms;
        Norm = GradientSet.NormOfNorms(norms, 2);
        Step = step;
        Coefficient = clipped.Coefficient;
        isScaled = clipped.IsScaled;
        normBeforeBounds = clipped.NormBeforeBounds();
        if (HasBound(clipped))
        {
            bounded = new PendingGradient[norms.Length];
            versions = new int[norms.Length];
            for (int i = 0; i < bounded.Length; i++)
            {
                bounded[i] = clipped.Gradients[i].Copy();
                versions[i] = bounded[i].Gradient.Storage.Version;
            }
        }
        else
        {
            clippedNorm = normBeforeBounds;
        }
    }

    /// <summary>Which step this was, from 1; a skipped step has the number that it would have had.</summary>
    public int Step { get; }

    /// <summary>The L2 norm of all gradients together, unscaled and averaged, before clipping.</summary>
    public double Norm { get; }

    /// <summary>
    /// The norm after clipping. After a value stage it is measured when it is first read, which takes a pass over the
    /// gradients; read it before the next backward then.
    /// </summary>
    /// <exception cref="InvalidOperationException">The gradients have changed since the step.</exception>
    public double ClippedNorm => clippedNorm ??= MeasureClippedNorm();

    /// <summary>The product of the coefficients that global norm stages applied to all gradients; 1 if none acted.</summary>
    public double Coefficient { get; }

    /// <summary>Whether clipping changed a gradient. After a value stage this measures, as <see cref="ClippedNorm"/> does.</summary>
    public bool WasClipped => isScaled || (bounded is not null && ClippedNorm < normBeforeBounds);

    /// <summary>Whether the step was not made, by <see cref="NonFinitePolicy.SkipStep"/>.</summary>
    public bool WasSkipped { get; internal init; }

    /// <summary>How many parameters had a gradient.</summary>
    public int ParameterCount => norms.Length;

    /// <summary>The parameters that had no gradient, and so were not updated.</summary>
    public IReadOnlyList<string> WithoutGradient { get; internal init; } = [];

    /// <summary>The name and the gradient's norm before clipping of each parameter that had one.</summary>
    public IReadOnlyList<(string Name, double Norm)> ParameterNorms =>
        [.. norms.Select((norm, i) => (NonFiniteGradients.NameOf(parameters[i], i), norm))];

    /// <summary>The norm and its coefficient, in a line for a log.</summary>
    public override string ToString() => WasSkipped
        ? $"step {Step}: skipped, gradient norm {Norm:g4}"
        : $"step {Step}: gradient norm {Norm:g4}, coefficient {Coefficient:g4}";

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

    private double MeasureClippedNorm()
    {
        double[] clipped = new double[norms.Length];
        for (int i = 0; i < clipped.Length; i++)
        {
            PendingGradient gradient = bounded![i];
            if (!gradient.HasKnownNorm && gradient.Gradient.Storage.Version != versions![i])
            {
                throw new InvalidOperationException(
                    $"ClippedNorm of step {Step} was read after its gradients had changed. Read it right after Step(), before the next Backward().");
            }

            clipped[i] = gradient.MeasureClippedNorm();
        }

        return GradientSet.NormOfNorms(clipped, 2);
    }
}
