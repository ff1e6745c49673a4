namespace Minigrad.Optimizers.Clipping;

/// <summary>All gradients of a step, which a stage sees at once.</summary>
public sealed class GradientSet
{
    private readonly List<PendingGradient> gradients = [];

    internal GradientSet()
    {
    }

    /// <summary>The product of the coefficients that global stages have applied; 1 if none did.</summary>
    public double Coefficient { get; internal set; } = 1;

    /// <summary>Whether a stage is known to have changed a gradient. A value stage is not known until it is measured.</summary>
    internal bool IsScaled { get; set; }

    internal IReadOnlyList<PendingGradient> Gradients => gradients;

    /// <summary>The norm of all gradients together, as they are now: (Σ ‖gᵢ‖ᵖ)^(1/p), without overflow or underflow.</summary>
    /// <param name="order">p: a positive number or +∞.</param>
    public double Norm(double order = 2)
    {
        double[] norms = new double[gradients.Count];
        for (int i = 0; i < norms.Length; i++)
        {
            FlushUnlessPlain(gradients[i], order);
            norms[i] = gradients[i].MeasureNorm(order);
        }

        return NormOfNorms(norms, order);
    }

    /// <summary>Multiplies all gradients by one coefficient, without touching memory.</summary>
    /// <param name="coefficient">The factor.</param>
    public void Scale(double coefficient)
    {
        Coefficient *= coefficient;
        foreach (PendingGradient gradient in gradients)
        {
            Scale(gradient, coefficient);
        }
    }

    /// <summary>(Σ nᵢᵖ)^(1/p) of finite norms that are not negative, scaled by the largest so that no power overflows.</summary>
    internal static double NormOfNorms(ReadOnlySpan<double> norms, double order)
    {
        double largest = 0;
        double sum = 0;
        foreach (double norm in norms)
        {
            largest = Math.Max(largest, norm);
            sum += norm;
        }

        if (largest == 0 || !double.IsFinite(largest) || double.IsPositiveInfinity(order))
        {
            return double.IsNaN(sum) ? double.NaN : largest;
        }

        double total = 0;
        foreach (double norm in norms)
        {
            total += Math.Pow(norm / largest, order);
        }

        return largest * Math.Pow(total, 1 / order);
    }

    internal void Add(PendingGradient gradient) => gradients.Add(gradient);

    /// <summary>Scales one gradient, after a bound that is pending was written.</summary>
    internal void Scale(PendingGradient gradient, double coefficient)
    {
        if (coefficient == 1)
        {
            return;
        }

        if (!gradient.HasKnownNorm)
        {
            gradient.Flush();
        }

        gradient.Coefficient *= coefficient;
        IsScaled = true;
    }

    /// <summary>Only the L2 norm follows from unit norms, and none from a bound.</summary>
    internal static void FlushUnlessPlain(PendingGradient gradient, double order)
    {
        if (!gradient.HasKnownNorm || (order != 2 && !gradient.IsPlainlyScaled))
        {
            gradient.Flush();
        }
    }
}
