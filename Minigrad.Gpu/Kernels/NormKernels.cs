using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>Sums inside norms, as trees of the same shape as <see cref="ReductionKernels"/> but in double precision.</summary>
internal static class NormKernels
{
    /// <summary>The first level: partial sum (u, p) of the terms of unit u.</summary>
    public static void SumTerms<TTerm>(
        Index1D output, TTerm term, ArrayView<float> x, int unitLength, int partials, ArrayView<double> y)
        where TTerm : struct, INormTerm
    {
        int unit = output / partials;
        int start = unit * unitLength;
        double total = 0.0;
        for (int i = output % partials; i < unitLength; i += partials)
        {
            total = term.Combine(total, term.Term(x[start + i], unit));
        }

        y[output] = total;
    }

    /// <summary>The further levels: partial sums of partial sums.</summary>
    public static void SumPartials(Index1D output, ArrayView<double> x, int unitLength, int partials, ArrayView<double> y)
    {
        int start = output / partials * unitLength;
        double total = 0.0;
        for (int i = output % partials; i < unitLength; i += partials)
        {
            total += x[start + i];
        }

        y[output] = total;
    }
}
