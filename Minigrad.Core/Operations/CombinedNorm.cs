namespace Minigrad.Operations;

/// <summary>
/// The norm of several norms, (Σ nᵢᵖ)^(1/p): each is divided by the largest m, so that no power overflows, and the result
/// is m · (Σ (nᵢ / m)ᵖ)^(1/p). Where m is 0 or not finite, or p is +∞, m is the result, or NaN if any norm is.
/// </summary>
/// <param name="order">p.</param>
public readonly struct CombinedNorm(double order)
{
    private readonly double order = order;

    /// <summary>Whether the largest norm is the result, and no sum is needed.</summary>
    /// <param name="largest">m, not NaN.</param>
    public bool IsLargest(double largest) => largest == 0.0 || largest > double.MaxValue || order > double.MaxValue;

    /// <summary>(n / m)ᵖ, at most 1.</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="norm">n.</param>
    /// <param name="largest">m, positive and finite.</param>
    public double Term<TMath>(double norm, double largest)
        where TMath : struct, IStepMath
    {
        double ratio = norm / largest;
        return order == 2.0 ? ratio * ratio : TMath.Power(ratio, order);
    }

    /// <summary>m · sum^(1/p).</summary>
    /// <typeparam name="TMath">The functions of where it runs.</typeparam>
    /// <param name="sum">The sum of the terms.</param>
    /// <param name="largest">m, positive and finite.</param>
    public double Of<TMath>(double sum, double largest)
        where TMath : struct, IStepMath => largest * TMath.Power(sum, 1.0 / order);
}
