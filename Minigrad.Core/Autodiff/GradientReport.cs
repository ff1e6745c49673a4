namespace Minigrad.Autodiff;

/// <summary>What a gradient check found, the worst place first in mind.</summary>
public sealed class GradientReport
{
    private string? worst;

    internal GradientReport()
    {
    }

    /// <summary>Whether every gradient agrees with the differences.</summary>
    public bool Passed => WorstError <= GradientChecker.Tolerance;

    /// <summary>The largest difference, as a part of the gradient's own size.</summary>
    public double WorstError { get; private set; }

    /// <summary>How many elements or directions were compared.</summary>
    public int Compared { get; private set; }

    /// <summary>Throws if a gradient is wrong.</summary>
    /// <exception cref="GradientException">The message names the worst element, its gradient and the difference quotient.</exception>
    public void ThrowIfFailed()
    {
        if (!Passed)
        {
            throw new GradientException(ToString());
        }
    }

    /// <summary>The verdict and the worst place in one or two lines.</summary>
    public override string ToString() => Compared == 0
        ? "Gradient check: there was no element to compare."
        : $"Gradient check {(Passed ? "passed" : "FAILED")}: {Compared} comparisons, worst relative error {WorstError:0.0e+0} (allowed {GradientChecker.Tolerance:0.0e+0}).\nWorst: {worst}";

    internal void Add(Tensor input, int? element, double gradient, double difference, double scale, double noise)
    {
        Compared++;
        double deviation = Math.Abs(gradient - difference);
        double error = deviation <= noise ? 0 : (deviation - noise) / scale;
        if (worst is null || error > WorstError || double.IsNaN(error))
        {
            WorstError = double.IsNaN(error) ? double.PositiveInfinity : error;
            string place = element is { } index ? $"{input.Name}{Shape.Text(input.Shape.Place(index))}" : $"{input.Name} along a random direction";
            worst = $"{place} of shape {input.Shape}: the gradient is {gradient:g6}, differences of the function give {difference:g6}.";
        }
    }
}
