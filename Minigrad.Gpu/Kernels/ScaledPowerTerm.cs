using ILGPU;

namespace Minigrad.Gpu.Kernels;

/// <summary>(|x| / largest)ᵖ, the term of every other norm: at most 1, so that no power overflows.</summary>
/// <param name="order">p.</param>
/// <param name="largest">The largest magnitude of each unit.</param>
internal readonly struct ScaledPowerTerm(double order, ArrayView<float> largest) : INormTerm
{
    private readonly double order = order;
    private readonly ArrayView<float> largest = largest;

    /// <inheritdoc/>
    /// <remarks>Where the largest is 0 or not finite, it is itself the norm and the sum is not used.</remarks>
    public double Term(float x, int unit)
    {
        double ratio = Math.Abs((double)x) / largest[unit];
        if (double.IsNaN(ratio))
        {
            return ratio;
        }

        return ratio > 0.0 ? DevicePower.Of(ratio, order) : 0.0;
    }

    /// <inheritdoc/>
    public double Combine(double total, double term) => total + term;
}
