namespace Minigrad.Tests.Gpu;

/// <summary>
/// How far two backends' normalisations can be apart, proven from the terms. Every result is a sum of products, and each operation
/// multiplies what it gives by 1 + δ, |δ| ≤ 2⁻²⁴. So a term that k operations have passed on its way into a result is off by at most
/// γ(k) = k · 2⁻²⁴ / (1 − k · 2⁻²⁴) of its magnitude (Higham, 2002, <i>Accuracy and Stability of Numerical Algorithms</i>, lemma 3.1),
/// also where terms cancel and the sum is small. Both sides are as far from the exact result, so their bounds add up. A product and a
/// sum that a compiler makes one operation of, or a wider sum, round less often.
/// </summary>
/// <remarks>
/// How many additions a term passes is the depth of the sum. On the CPU a run of n numbers is a chain in each of w = 4, 8 or 16 lanes,
/// n / w long, with at most 3 more for the halves of an unrolled loop and the tail, and w − 1 for the sum of the lanes; runs
/// are added in double precision, and that is rounded once: n / 4 + 19 covers all three. Groups that lie side by side, and rows
/// that share weights, are chains over rows, with 3 more for the two halves, the block and the blocks together. On a device a thread
/// adds every p-th of n numbers, and a tree adds p of these: n / p + log₂ p, with p from 4 to 256.
/// </remarks>
internal sealed class NormalizationBounds
{
    private readonly NormalizationCase item;
    private readonly float[] statistics;

    // Exact, of the rounded operands and statistics: x̂, h = g · weight, 1 / √(variance + ε).
    private readonly double[] standardized;
    private readonly double[] gradients;
    private readonly double[] scales;

    public NormalizationBounds(NormalizationCase item)
    {
        this.item = item;
        statistics = item.Statistics();
        scales = [.. Enumerable.Range(0, item.Shape.Groups).Select(group => 1 / Math.Sqrt((double)statistics[item.Shape.Groups + group] + item.Shape.Epsilon))];
        standardized = [.. item.X.Select((x, i) => (x - (double)statistics[item.GroupOf(i)]) * scales[item.GroupOf(i)])];
        gradients = [.. item.Gradient.Select((g, i) => g * WeightOf(i))];
    }

    /// <summary>y = (x − mean) · scale · weight + bias: of x̂, one for the difference, three for the scale and one for the product; one for each of the others.</summary>
    public double[] OfOutput() => [.. standardized.Select((value, i) =>
        2 * Gamma(7) * (Math.Abs(value * WeightOf(i)) + Math.Abs(item.Bias?[item.WeightPlace(i)] ?? 0.0)))];

    /// <summary>Σ g · x̂: five for x̂, one for the product, and the sum.</summary>
    public double[] OfWeightGradient() => OfWeights(6, i => item.Gradient[i] * standardized[i]);

    /// <summary>Σ g.</summary>
    public double[] OfBiasGradient() => OfWeights(0, i => item.Gradient[i]);

    /// <summary>
    /// (h − mean(h) − x̂ · mean(h · x̂)) · scale, of which h passes one operation for itself, two differences, and four for the scale
    /// and the product with it; mean(h) besides a sum and up to three for the mean (1 / n, times a weight that was left out); and mean(h · x̂) besides
    /// that the five for an x̂ twice, and a product twice.
    /// </summary>
    public double[] OfInputGradient()
    {
        double[] ofGradients = MeansOfGroups(i => Math.Abs(gradients[i]));
        double[] ofProducts = MeansOfGroups(i => Math.Abs(gradients[i] * standardized[i]));
        int[] depths = [DepthOfGroupOnCpu, DepthOnDevice(item.Shape.GroupLength)];
        return [.. gradients.Select((h, i) => scales[item.GroupOf(i)] * depths.Sum(depth =>
            (Gamma(7) * Math.Abs(h))
            + (item.Shape.IsCentred ? Gamma(depth + 10) * ofGradients[item.GroupOf(i)] : 0)
            + (Gamma(depth + 21) * Math.Abs(standardized[i]) * ofProducts[item.GroupOf(i)])))];
    }

    /// <summary>
    /// Σ x / n, and Σ (x − m)² / n around the mean m as it was rounded: were it exact this were the variance, and it is larger by the square of
    /// how far m is off. One operation for the difference, which is squared, one for the square, and one for the division.
    /// </summary>
    public double[] OfStatistics()
    {
        int groups = item.Shape.Groups;
        double[] means = item.Shape.IsCentred ? MeansOfGroups(i => item.X[i]) : new double[groups];
        double[] magnitudes = item.Shape.IsCentred ? MeansOfGroups(i => Math.Abs((double)item.X[i])) : new double[groups];
        double[] variances = MeansOfGroups(i => (item.X[i] - means[item.GroupOf(i)]) * (item.X[i] - means[item.GroupOf(i)]));
        double[] bounds = new double[2 * groups];
        foreach (int depth in (int[])[DepthOfGroupOnCpu, DepthOnDevice(item.Shape.GroupLength)])
        {
            for (int group = 0; group < groups; group++)
            {
                double ofMean = Gamma(depth + 1) * magnitudes[group];
                bounds[group] += ofMean;
                bounds[groups + group] += (Gamma(depth + 4) * (variances[group] + (ofMean * ofMean))) + (ofMean * ofMean);
            }
        }

        return bounds;
    }

    private int DepthOfGroupOnCpu => item.Shape.Inner == 1 ? item.Shape.Outer + 3 : (item.Shape.Inner / 4) + 19;

    private static double Gamma(int operations) =>
        operations * ProgramTolerance.HalfUnit / (1 - (operations * ProgramTolerance.HalfUnit));

    private static int DepthOnDevice(int terms) => ((terms + 3) / 4) + 8;

    private double WeightOf(int place) => item.Weight?[item.WeightPlace(place)] ?? 1.0;

    /// <summary>Bounds of sums over all elements that have a weight in common.</summary>
    private double[] OfWeights(int operations, Func<int, double> term)
    {
        double[] magnitudes = new double[item.Shape.WeightCount];
        for (int i = 0; i < item.X.Length; i++)
        {
            magnitudes[item.WeightPlace(i)] += Math.Abs(term(i));
        }

        int onCpu = item.Shape.IsWeightPerGroup ? DepthOfGroupOnCpu : item.Shape.Groups + 3;
        int onDevice = DepthOnDevice(item.Shape.IsWeightPerGroup ? item.Shape.GroupLength : item.Shape.Groups);
        return [.. magnitudes.Select(magnitude => (Gamma(operations + onCpu) + Gamma(operations + onDevice)) * magnitude)];
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
}
