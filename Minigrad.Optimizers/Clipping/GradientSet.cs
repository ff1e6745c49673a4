using System.Runtime.InteropServices;
using Minigrad.Backends;
using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>All gradients of a step, which a stage sees at once.</summary>
public sealed class GradientSet
{
    private readonly List<PendingGradient> gradients = [];
    private readonly List<Storage> storages = [];
    private double[] norms = [];

    internal GradientSet()
    {
    }

    /// <summary>The product of the coefficients that global stages have applied; 1 if none did.</summary>
    public double Coefficient { get; internal set; } = 1;

    /// <summary>Whether a stage is known to have changed a gradient. A value stage is not known until it is measured.</summary>
    internal bool IsScaled { get; set; }

    /// <summary>Which stage of the step sees it now, from 0.</summary>
    internal int StageNumber { get; set; }

    internal ReadOnlySpan<PendingGradient> Gradients => CollectionsMarshal.AsSpan(gradients);

    /// <summary>The norm of all gradients together, as they are now: (Σ ‖gᵢ‖ᵖ)^(1/p), without overflow or underflow.</summary>
    /// <param name="order">p: a number of at least 0.1, or +∞.</param>
    /// <exception cref="ArgumentOutOfRangeException">p is below 0.1 or NaN.</exception>
    public double Norm(double order = 2) =>
        NormOfNorms(Norms(ThresholdStage.CheckOrder(order, $"{nameof(GradientSet)}.{nameof(Norm)}")), order);

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

        CombinedNorm combined = new(order);
        if (double.IsNaN(sum) || combined.IsLargest(largest))
        {
            return double.IsNaN(sum) ? double.NaN : largest;
        }

        double total = 0;
        foreach (double norm in norms)
        {
            total += combined.Term<SystemMath>(norm, largest);
        }

        return combined.Of<SystemMath>(total, largest);
    }

    internal void Add(PendingGradient gradient) => gradients.Add(gradient);

    /// <summary>Divides all gradients by the loss scale, before anything is known of them.</summary>
    internal void DivideBy(double lossScale)
    {
        foreach (PendingGradient gradient in gradients)
        {
            gradient.Coefficient /= lossScale;
        }
    }

    /// <summary>Empties the set, for the next step.</summary>
    internal void Clear()
    {
        gradients.Clear();
        Coefficient = 1;
        IsScaled = false;
    }

    /// <summary>The norm of all gradients together as it is now, before bounds that are pending.</summary>
    internal double NormBeforeBounds() => NormOfNorms(KnownNorms(), 2);

    /// <summary>Measures the numbers in memory of all gradients.</summary>
    internal void Measure()
    {
        ReadOnlySpan<double> measured = NormsInMemory(2);
        for (int i = 0; i < measured.Length; i++)
        {
            gradients[i].NormInMemory = measured[i];
        }
    }

    /// <summary>The norm of each gradient as it is now. The numbers are overwritten by the next call.</summary>
    internal ReadOnlySpan<double> Norms(double order)
    {
        foreach (PendingGradient gradient in gradients)
        {
            FlushUnlessPlain(gradient, order);
        }

        if (order == 2)
        {
            return KnownNorms();
        }

        Span<double> result = NormsInMemory(order);
        for (int i = 0; i < result.Length; i++)
        {
            result[i] *= gradients[i].Coefficient;
        }

        return result;
    }

    /// <summary>The L2 norm of each gradient, before a bound that is pending. The numbers are overwritten by the next call.</summary>
    internal ReadOnlySpan<double> KnownNorms()
    {
        Span<double> result = Numbers();
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = gradients[i].Norm;
        }

        return result;
    }

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
    private static void FlushUnlessPlain(PendingGradient gradient, double order)
    {
        if (!gradient.HasKnownNorm || (order != 2 && !gradient.IsPlainlyScaled))
        {
            gradient.Flush();
        }
    }

    /// <summary>All gradients of a backend are measured by one call.</summary>
    private Span<double> NormsInMemory(double order)
    {
        Span<double> result = Numbers();
        int start = 0;
        while (start < gradients.Count)
        {
            Backend backend = gradients[start].Gradient.Backend;
            int end = start;
            storages.Clear();
            while (end < gradients.Count && ReferenceEquals(gradients[end].Gradient.Backend, backend))
            {
                storages.Add(gradients[end].Gradient.Storage);
                end++;
            }

            backend.Norms(storages, order, result[start..end]);
            start = end;
        }

        storages.Clear();
        return result;
    }

    private Span<double> Numbers()
    {
        if (norms.Length < gradients.Count)
        {
            norms = new double[gradients.Count];
        }

        return norms.AsSpan(0, gradients.Count);
    }
}
