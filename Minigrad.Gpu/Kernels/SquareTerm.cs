namespace Minigrad.Gpu.Kernels;

/// <summary>x², the term of the L2 norm. The square of any finite float32 is a normal double or 0.</summary>
internal readonly struct SquareTerm : INormTerm
{
    /// <inheritdoc/>
    public double Term(float x, int unit) => (double)x * x;

    /// <inheritdoc/>
    public double Combine(double total, double term) => total + term;
}
