using System.Numerics;
using Minigrad.Tests.Gpu;

namespace Minigrad.Tests.Backends;

/// <summary>
/// How far a normalisation can be from the exact one, or two from each other, proven from the terms. Every result is a sum of products, and
/// each operation multiplies what it gives by 1 + δ, |δ| ≤ 2⁻²⁴. So a term that k operations have passed on its way into a result is off
/// by at most γ(k) = k · 2⁻²⁴ / (1 − k · 2⁻²⁴) of its magnitude (Higham, 2002, <i>Accuracy and Stability of Numerical Algorithms</i>,
/// lemma 3.1), also where terms cancel and the sum is small. Two sides are each as far from the exact result, so their bounds add up. A
/// product and a sum that a compiler makes one operation of, or a wider sum, round less often.
/// </summary>
/// <remarks>
/// Exact is what follows from the rounded operands, and for all but the statistics themselves from the rounded statistics that are given.
/// Double precision, in which the exact result and its bound are found, is off by less than γ(k) leaves over, or is counted as an
/// operation (<see cref="NormalizationDepths"/>). No operand but 0 is below 2⁻⁴⁰, so what underflows is far below the bounds.
/// </remarks>
internal sealed class NormalizationBounds
{
    private static readonly string[] Names = ["mean", "variance", "y", "gradient of x", "gradient of weight", "gradient of bias"];

    private readonly NormalizationCase item;
    private readonly float[] statistics;
    private readonly NormalizationDepths[] sides;

    /// <summary>1 / √(variance + ε) of each group.</summary>
    private readonly double[] scales;

    /// <summary>The bounds of all elements, in the order of <see cref="Names"/>.</summary>
    private readonly Func<int, double>[] bounds;

    /// <summary>Finds the bounds.</summary>
    /// <param name="item">The operands.</param>
    /// <param name="statistics">The means, then the variances, that all but the statistics are made with.</param>
    /// <param name="sides">How those add whose results are compared; the exact result has no side.</param>
    public NormalizationBounds(NormalizationCase item, float[] statistics, params NormalizationDepths[] sides)
    {
        (this.item, this.statistics, this.sides) = (item, statistics, sides);
        int groups = item.Shape.Groups;
        scales = [.. Enumerable.Range(0, groups).Select(group => 1 / Math.Sqrt((double)statistics[groups + group] + item.Shape.Epsilon))];
        (Func<int, double> mean, Func<int, double> variance) = OfStatistics();
        bounds = [mean, variance, OfOutput(), OfInputGradient(), OfWeightGradient(), OfBiasGradient()];
    }

    /// <summary>The results of which an element is farther from what is expected than its bound, and which is farthest.</summary>
    public (string Name, string Farthest)[] Outside<T>(NormalizationResults<T> expected, NormalizationResults<float> found)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        List<(string Name, string Farthest)> outside = [];

        // A group of no numbers has no statistics.
        for (int result = item.Shape.GroupLength == 0 ? 2 : 0; result < Names.Length; result++)
        {
            (T[]? right, float[]? values, double most) = (expected.All[result], found.All[result], 0);
            Assert.Equal(right?.Length, values?.Length);
            string farthest = string.Empty;
            for (int i = 0; i < values?.Length; i++)
            {
                double difference = Math.Abs(double.CreateTruncating(right![i]) - values[i]);
                double bound = bounds[result](i);
                double excess = double.IsNaN(difference) ? double.PositiveInfinity : difference - bound;
                if (excess > most)
                {
                    (most, farthest) = (excess, $"element {i}: {values[i]:R}, not {right[i]:R}, {excess:g3} more than {bound:g3} apart");
                }
            }

            if (most > 0)
            {
                outside.Add((Names[result], farthest));
            }
        }

        return [.. outside];
    }

    private static double Gamma(int operations) =>
        operations * ProgramTolerance.HalfUnit / (1 - (operations * ProgramTolerance.HalfUnit));

    /// <summary>
    /// Σ x / n, and Σ (x − m)² / n around the mean m as it was rounded: were it exact this were the variance, and it is larger by the square of
    /// how far m is off. One operation for the difference, which is squared, one for the square, and one for the division.
    /// </summary>
    private (Func<int, double> Mean, Func<int, double> Variance) OfStatistics()
    {
        int groups = item.Shape.Groups;
        double[] means = item.Shape.IsCentred ? MeansOfGroups(i => item.X[i]) : new double[groups];
        double[] magnitudes = item.Shape.IsCentred ? MeansOfGroups(i => Math.Abs((double)item.X[i])) : new double[groups];
        double[] variances = MeansOfGroups(i => (item.X[i] - means[item.GroupOf(i)]) * (item.X[i] - means[item.GroupOf(i)]));
        double OfMean(NormalizationDepths side, int group) => Gamma(side.Statistics + 1) * magnitudes[group];
        double OfVariance(NormalizationDepths side, int group)
        {
            double shift = OfMean(side, group) * OfMean(side, group);
            return (Gamma(side.Statistics + 4) * (variances[group] + shift)) + shift;
        }

        return (group => sides.Sum(side => OfMean(side, group)), group => sides.Sum(side => OfVariance(side, group)));
    }

    /// <summary>y = (x − mean) · scale · weight + bias: of x̂, one for the difference, three for the scale and one for the product; one for each of the others.</summary>
    private Func<int, double> OfOutput()
    {
        double gamma = sides.Length * Gamma(7);
        return i => gamma * (Math.Abs(Standardized(i) * WeightOf(i)) + Math.Abs(item.Bias?[item.WeightPlace(i)] ?? 0.0));
    }

    /// <summary>
    /// (h − mean(h) − x̂ · mean(h · x̂)) · scale with h = g · weight, of which h passes one operation for itself, two differences, and four for the
    /// scale and the product with it; mean(h) besides a sum and up to three for the mean (1 / n, times a weight that was left out); and
    /// mean(h · x̂) besides that the five for an x̂ twice, and a product twice.
    /// </summary>
    private Func<int, double> OfInputGradient()
    {
        double[] ofGradients = MeansOfGroups(i => item.Shape.IsCentred ? Math.Abs(item.Gradient[i] * WeightOf(i)) : 0);
        double[] ofProducts = MeansOfGroups(i => Math.Abs(item.Gradient[i] * WeightOf(i) * Standardized(i)));
        (double gamma, double gammaOfGradients, double gammaOfProducts) = (
            sides.Length * Gamma(7), sides.Sum(side => Gamma(side.Gradients + 10)), sides.Sum(side => Gamma(side.Gradients + 21)));
        return i => scales[item.GroupOf(i)] * (
            (gamma * Math.Abs(item.Gradient[i] * WeightOf(i)))
            + (gammaOfGradients * ofGradients[item.GroupOf(i)])
            + (gammaOfProducts * Math.Abs(Standardized(i)) * ofProducts[item.GroupOf(i)]));
    }

    /// <summary>Σ g · x̂: five for x̂, one for the product, and the sum.</summary>
    private Func<int, double> OfWeightGradient() => OfWeights(6, i => item.Gradient[i] * Standardized(i));

    /// <summary>Σ g.</summary>
    private Func<int, double> OfBiasGradient() => OfWeights(0, i => item.Gradient[i]);

    /// <summary>Bounds of sums over all elements that have a weight in common.</summary>
    private Func<int, double> OfWeights(int operations, Func<int, double> term)
    {
        double[] magnitudes = new double[item.Shape.WeightCount];
        for (int i = 0; i < item.X.Length; i++)
        {
            magnitudes[item.WeightPlace(i)] += Math.Abs(term(i));
        }

        double gamma = sides.Sum(side => Gamma(operations + side.Weights));
        return place => gamma * magnitudes[place];
    }

    private double[] MeansOfGroups(Func<int, double> term)
    {
        double[] means = new double[item.Shape.Groups];
        for (int i = 0; i < item.X.Length; i++)
        {
            means[item.GroupOf(i)] += term(i) / item.Shape.GroupLength;
        }

        return means;
    }

    /// <summary>x̂.</summary>
    private double Standardized(int place) => (item.X[place] - (double)statistics[item.GroupOf(place)]) * scales[item.GroupOf(place)];

    private double WeightOf(int place) => item.Weight?[item.WeightPlace(place)] ?? 1.0;
}
