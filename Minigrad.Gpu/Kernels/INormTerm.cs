namespace Minigrad.Gpu.Kernels;

/// <summary>What an element contributes to a norm, in double precision, and how contributions combine.</summary>
internal interface INormTerm
{
    /// <summary>The contribution of one element.</summary>
    /// <param name="x">The element.</param>
    /// <param name="unit">Which unit it belongs to.</param>
    double Term(float x, int unit);

    /// <summary>What two contributions are together; 0 changes nothing.</summary>
    /// <param name="total">One of them.</param>
    /// <param name="term">The other.</param>
    double Combine(double total, double term);
}
