namespace Minigrad.Autodiff;

/// <summary>What a gradient check found, the worst place first in mind.</summary>
public sealed class GradientReport
{
    private string? worst;
    private string? uncompared;

    internal GradientReport()
    {
    }

    /// <summary>
    /// Whether every gradient that was compared agrees with the differences, and of each input that has elements some were compared.
    /// </summary>
    public bool Passed => WorstError <= GradientChecker.Tolerance && uncompared is null;

    /// <summary>
    /// The largest of max(0, |g − d| − noise) / scale, where g is a gradient and d the difference quotient, and the noise is what rounding
    /// may have moved d by (<see cref="GradientChecker"/>). The scale of an element is max(|d|, a tenth of the input's largest |g|), that
    /// of a direction max(|d|, the norm of the input's gradient). Infinite if one of them is NaN.
    /// </summary>
    public double WorstError { get; private set; }

    /// <summary>How many elements or directions were compared.</summary>
    public int Compared { get; private set; }

    /// <summary>How many elements were passed over because they lie at a kink of the function, as relu's at 0, where any slope between both sides' is right.</summary>
    public int Skipped { get; private set; }

    /// <summary>Throws if a gradient is wrong.</summary>
    /// <exception cref="GradientException">The message names the worst element, its gradient and the difference quotient.</exception>
    public void ThrowIfFailed()
    {
        if (!Passed)
        {
            throw new GradientException(ToString());
        }
    }

    /// <summary>The verdict and the worst place, or what was not compared, in one or more lines.</summary>
    public override string ToString()
    {
        if (Compared + Skipped == 0)
        {
            return "Gradient check: there was no element to compare.";
        }

        string skipped = Skipped == 0 ? string.Empty : $", {Skipped} elements passed over at kinks";
        return $"Gradient check {(Passed ? "passed" : "FAILED")}: {Compared} comparisons{skipped}, worst relative error {WorstError:0.0e+0} (allowed {GradientChecker.Tolerance:0.0e+0})."
            + (worst is null ? string.Empty : $"\nWorst: {worst}")
            + (uncompared is null ? string.Empty : $"\n{uncompared}");
    }

    /// <summary>By how much a gradient differs beyond noise, as a part of a scale.</summary>
    internal static double Error(double gradient, double difference, double scale, double noise)
    {
        double deviation = Math.Abs(gradient - difference);
        return deviation <= noise ? 0 : (deviation - noise) / scale;
    }

    internal void Skip() => Skipped++;

    /// <summary>Notes that all elements of an input were passed over, so that nothing is known of its gradient.</summary>
    internal void LeaveUncompared(Tensor input) =>
        uncompared ??= $"Nothing of {input.Name} of shape {input.Shape} was compared: to each side of every element the function has another slope, and the gradient lies between them. Check at points further from kinks, and with elements no smaller than a step of a few thousandths.";

    internal void Add(Tensor input, int? element, double gradient, double difference, double scale, double noise)
    {
        Compared++;
        double error = Error(gradient, difference, scale, noise);
        if (worst is null || error > WorstError || double.IsNaN(error))
        {
            WorstError = double.IsNaN(error) ? double.PositiveInfinity : error;
            string place = element is { } index ? $"{input.Name}{Shape.Text(input.Shape.Place(index))}" : $"{input.Name} along a random direction";
            worst = $"{place} of shape {input.Shape}: the gradient is {gradient:g6}, differences of the function give {difference:g6}.";
        }
    }
}
