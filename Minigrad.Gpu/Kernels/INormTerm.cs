namespace Minigrad.Gpu.Kernels;

/// <summary>What an element contributes to the sum inside a norm, in double precision.</summary>
internal interface INormTerm
{
    /// <summary>The contribution of one element.</summary>
    /// <param name="x">The element.</param>
    /// <param name="unit">Which unit it belongs to.</param>
    double Term(float x, int unit);
}
