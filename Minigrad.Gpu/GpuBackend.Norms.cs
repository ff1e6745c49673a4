using ILGPU;
using Minigrad.Backends;
using Minigrad.Gpu.Kernels;
using Minigrad.Operations;

namespace Minigrad.Gpu;

/// <content>Norms in double precision.</content>
public sealed partial class GpuBackend
{
    /// <summary>Up to this length one thread sums a unit.</summary>
    private const int LongestUnit = 64;

    /// <summary>How many terms of a longer unit one thread sums.</summary>
    private const int TermsPerPartial = 32;

    /// <inheritdoc/>
    /// <remarks>The only kernels in double precision; a device without it cannot run them.</remarks>
    public override void Norms(Storage x, double order, Span<double> norms)
    {
        if (x.Length == 0 || norms.Length == 0)
        {
            norms.Clear();
            return;
        }

        int unitLength = x.Length / norms.Length;
        switch (order)
        {
            case 1:
                Sums(default(MagnitudeTerm), View(x), unitLength, norms);
                break;
            case 2:
                Sums(default(SquareTerm), View(x), unitLength, norms);
                foreach (ref double norm in norms)
                {
                    norm = Math.Sqrt(norm);
                }

                break;
            default:
                ScaledNorms(View(x), unitLength, order, norms);
                break;
        }

        GC.KeepAlive(x);
    }

    /// <inheritdoc/>
    public override void Norms(IReadOnlyList<Storage> buffers, double order, Span<double> norms)
    {
        for (int buffer = 0; buffer < norms.Length; buffer++)
        {
            Norms(buffers[buffer], order, norms.Slice(buffer, 1));
        }
    }

    /// <summary>How many partial results a unit is reduced to; 1 if one thread sums it whole.</summary>
    private static int PartialsOf(int unitLength) =>
        unitLength <= LongestUnit ? 1 : (unitLength + TermsPerPartial - 1) / TermsPerPartial;

    /// <summary>‖x‖ = m · (Σ (|x| / m)ᵖ)^(1/p) with m the largest magnitude, which is itself the norm for p = ∞.</summary>
    private void ScaledNorms(ArrayView<float> x, int unitLength, double order, Span<double> norms)
    {
        using Scratch scratch = new(pool, norms.Length);
        ArrayView<float> largest = scratch.Floats.SubView(0, norms.Length);
        Reduce(default(LargestAbsolute), x, new AxisLayout(norms.Length, unitLength, 1), largest);
        float[] magnitudes = new float[norms.Length];
        queue.Download(largest, magnitudes);
        if (!double.IsPositiveInfinity(order))
        {
            Sums(new ScaledPowerTerm(order, largest), x, unitLength, norms);
        }

        for (int unit = 0; unit < norms.Length; unit++)
        {
            float magnitude = magnitudes[unit];
            norms[unit] = double.IsPositiveInfinity(order) || magnitude == 0f || !float.IsFinite(magnitude)
                ? magnitude
                : magnitude * Math.Pow(norms[unit], 1 / order);
        }
    }

    /// <summary>The sum of the terms of each unit, downloaded.</summary>
    private void Sums<TTerm>(TTerm term, ArrayView<float> x, int unitLength, Span<double> sums)
        where TTerm : struct, INormTerm
    {
        int partials = PartialsOf(unitLength);
        int outputs = sums.Length * partials;
        using Scratch scratch = new(pool, 2 * outputs);
        queue.Launch(NormKernels.SumTerms<TTerm>, outputs, term, x, unitLength, partials, scratch.Doubles);
        SumPartials(scratch.Doubles, partials, sums);
    }

    private void SumPartials(ArrayView<double> x, int unitLength, Span<double> sums)
    {
        if (unitLength == 1)
        {
            queue.Download(x.SubView(0, sums.Length), sums);
            return;
        }

        int partials = PartialsOf(unitLength);
        int outputs = sums.Length * partials;
        using Scratch scratch = new(pool, 2 * outputs);
        queue.Launch(NormKernels.SumPartials, outputs, x, unitLength, partials, scratch.Doubles);
        SumPartials(scratch.Doubles, partials, sums);
    }
}
