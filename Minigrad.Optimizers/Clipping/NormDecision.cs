using Minigrad.Operations;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// c / max(m, c), or with ε the smaller of c / (m + ε) and 1, where m is a norm, or of it what a <see cref="NormMeasure"/>
/// says. Exact at m = c, safe at m = 0, NaN for NaN.
/// </summary>
/// <param name="isCommon">1 for one factor for all gradients together, 0 for one for each.</param>
/// <param name="measure">A <see cref="NormMeasure"/>.</param>
/// <param name="epsilon">ε.</param>
public readonly struct NormDecision(int isCommon, int measure, double epsilon) : IClipDecision
{
    private readonly int isCommon = isCommon;
    private readonly int measure = measure;
    private readonly double epsilon = epsilon;

    /// <inheritdoc/>
    public bool MayBound => false;

    /// <inheritdoc/>
    public bool IsCommon => isCommon != 0;

    /// <inheritdoc/>
    public double Measure<TMath>(double norm, double size)
        where TMath : struct, IStepMath
    {
        if (measure == (int)NormMeasure.Norm || size == 0.0)
        {
            return norm;
        }

        return norm / (measure == (int)NormMeasure.Average ? size : TMath.SquareRoot(size));
    }

    /// <inheritdoc/>
    public double Together(double measure, double total) => this.measure == (int)NormMeasure.Norm ? total : measure;

    /// <inheritdoc/>
    public double Factor(double measure, double threshold)
    {
        // A device may take a comparison with NaN for true, so NaN is asked for before anything is compared.
        if (double.IsNaN(threshold))
        {
            return threshold;
        }

        if (threshold > double.MaxValue)
        {
            return 1.0;
        }

        if (double.IsNaN(measure))
        {
            return measure;
        }

        if (epsilon == 0.0)
        {
            return measure > threshold ? threshold / measure : 1.0;
        }

        double coefficient = threshold / (measure + epsilon);
        return coefficient < 1.0 ? coefficient : 1.0;
    }

    /// <inheritdoc/>
    public double Low(double norm, double threshold) => double.NegativeInfinity;

    /// <inheritdoc/>
    public double High(double norm, double threshold) => double.PositiveInfinity;
}
