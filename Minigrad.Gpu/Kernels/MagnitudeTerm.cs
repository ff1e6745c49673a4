namespace Minigrad.Gpu.Kernels;

/// <summary>|x|, the term of the L1 norm.</summary>
internal readonly struct MagnitudeTerm : INormTerm
{
    /// <inheritdoc/>
    public double Term(float x, int unit) => Math.Abs((double)x);

    /// <inheritdoc/>
    public double Combine(double total, double term) => total + term;
}
