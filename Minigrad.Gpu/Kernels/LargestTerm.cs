namespace Minigrad.Gpu.Kernels;

/// <summary>|x|, of which the largest is the norm of order ∞. NaN is the largest of all.</summary>
internal readonly struct LargestTerm : INormTerm
{
    /// <inheritdoc/>
    public double Term(float x, int unit) => Math.Abs((double)x);

    /// <inheritdoc/>
    public double Combine(double total, double term)
    {
        if (double.IsNaN(total))
        {
            return total;
        }

        if (double.IsNaN(term))
        {
            return term;
        }

        return total > term ? total : term;
    }
}
