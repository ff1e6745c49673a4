using Minigrad.Plots;

namespace Minigrad.Optimizers;

/// <summary>How the loss followed a growing learning rate.</summary>
public sealed class LearningRateCurve
{
    /// <summary>2⁻²³, to which part a float32 loss is known: a smaller fall is rounding.</summary>
    private const double Resolution = 1.0 / (1 << 23);

    /// <summary>A curve.</summary>
    /// <param name="points">Its points, in order of the rate.</param>
    /// <param name="skipped">How many points at the start are too few to make a mean of.</param>
    internal LearningRateCurve(IReadOnlyList<LearningRatePoint> points, int skipped)
    {
        Points = points;
        Suggestion = SteepestDescent(points, skipped);
    }

    /// <summary>The steps that were made, in order of the rate. A loss that was not finite is not among them.</summary>
    public IReadOnlyList<LearningRatePoint> Points { get; }

    /// <summary>
    /// The rate at which the smoothed loss fell fastest, over the logarithm of the rate, as in fastai (Howard and Gugger,
    /// 2020, arXiv:2002.04688); null if it never fell.
    /// </summary>
    public double? Suggestion { get; }

    /// <summary>The curve as a chart, over the decimal logarithm of the rate.</summary>
    public LineChart ToChart() => new(
        Suggestion is { } rate ? FormattableString.Invariant($"Learning rate finder: {rate:g3}") : "Learning rate finder",
        "log10 of the learning rate",
        new Panel("loss",
        [
            new Series("loss", [.. Points.Select(point => (Math.Log10(point.Rate), point.Loss))]),
            new Series("smoothed", [.. Points.Select(point => (Math.Log10(point.Rate), point.Smoothed))]),
        ]));

    /// <summary>Rates are evenly spaced in the logarithm, so a difference of neighbours is a slope.</summary>
    private static double? SteepestDescent(IReadOnlyList<LearningRatePoint> points, int skipped)
    {
        double? rate = null;
        double steepest = 0;
        for (int i = skipped + 1; i < points.Count - 1; i++)
        {
            double slope = points[i + 1].Smoothed - points[i - 1].Smoothed;
            if (slope < steepest && -slope > Resolution * Math.Abs(points[i].Smoothed))
            {
                (rate, steepest) = (points[i].Rate, slope);
            }
        }

        return rate;
    }
}
