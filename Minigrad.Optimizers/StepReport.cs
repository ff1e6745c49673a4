using Minigrad.Optimizers.Clipping;

namespace Minigrad.Optimizers;

/// <summary>What a step did. Every step is measured, also with clipping off.</summary>
public sealed class StepReport
{
    private readonly GradientSet gradients;
    private readonly int[] versions;
    private readonly double[] norms;
    private double? clippedNorm;

    internal StepReport(GradientSet gradients, double[] norms, double norm, int step)
    {
        this.gradients = gradients;
        this.norms = norms;
        Norm = norm;
        Step = step;
        versions = new int[norms.Length];
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
    public double Coefficient => gradients.Coefficient;

    /// <summary>Whether clipping changed a gradient. After a value stage this measures, as <see cref="ClippedNorm"/> does.</summary>
    public bool WasClipped => gradients.IsScaled || (HasPendingBound && ClippedNorm < NormBeforeBounds);

    /// <summary>Whether the step was not made, by <see cref="NonFinitePolicy.SkipStep"/>.</summary>
    public bool WasSkipped { get; internal init; }

    /// <summary>How many parameters had a gradient.</summary>
    public int ParameterCount => norms.Length;

    /// <summary>The parameters that had no gradient, and so were not updated.</summary>
    public IReadOnlyList<string> WithoutGradient { get; internal init; } = [];

    /// <summary>The name and the gradient's norm before clipping of each parameter that had one.</summary>
    public IReadOnlyList<(string Name, double Norm)> ParameterNorms =>
        [.. norms.Select((norm, i) => (NonFiniteGradients.NameOf(gradients.Gradients[i].Parameter, i), norm))];

    private bool HasPendingBound
    {
        get
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
    }

    private double NormBeforeBounds =>
        GradientSet.NormOfNorms([.. gradients.Gradients.Select(gradient => gradient.Norm)], 2);

    /// <summary>The norm and its coefficient, in a line for a log.</summary>
    public override string ToString() => WasSkipped
        ? $"step {Step}: skipped, gradient norm {Norm:g4}"
        : $"step {Step}: gradient norm {Norm:g4}, coefficient {Coefficient:g4}";

    /// <summary>Remembers the state of the gradients as the step left them.</summary>
    internal StepReport Seal()
    {
        for (int i = 0; i < versions.Length; i++)
        {
            versions[i] = gradients.Gradients[i].Gradient.Storage.Version;
        }

        return this;
    }

    private double MeasureClippedNorm()
    {
        double[] clipped = new double[norms.Length];
        for (int i = 0; i < clipped.Length; i++)
        {
            PendingGradient gradient = gradients.Gradients[i];
            if (!gradient.HasKnownNorm && gradient.Gradient.Storage.Version != versions[i])
            {
                throw new InvalidOperationException(
                    $"ClippedNorm of step {Step} was read after its gradients had changed. Read it right after Step(), before the next Backward().");
            }

            clipped[i] = gradient.MeasureClippedNorm();
        }

        return GradientSet.NormOfNorms(clipped, 2);
    }
}
