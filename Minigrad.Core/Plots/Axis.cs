using System.Globalization;

namespace Minigrad.Plots;

/// <summary>A range of values and the places in a drawing that it covers, linear or logarithmic.</summary>
internal sealed class Axis
{
    private readonly double low;
    private readonly double high;
    private readonly double from;
    private readonly double to;
    private readonly bool isLogarithmic;

    private Axis(double low, double high, double from, double to, bool isLogarithmic)
    {
        (this.low, this.high, this.from, this.to, this.isLogarithmic) = (low, high, from, to, isLogarithmic);
    }

    /// <summary>An axis that shows all finite values; on a logarithmic one, all positive ones.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static Axis Around(IEnumerable<double> values, string label, double from, double to, bool isLogarithmic = false)
    {
        List<double> finite = [.. values.Select(value => Scaled(value, isLogarithmic)).Where(double.IsFinite)];
        if (finite.Count == 0)
        {
            throw new InvalidOperationException($"There is nothing to draw: '{label}' has no finite value. Was anything recorded?");
        }

        (double low, double high) = (finite.Min(), finite.Max());
        double margin = high > low ? 0 : Math.Max(1e-3, Math.Abs(high) * 0.05);
        return new Axis(low - margin, high + margin, from, to, isLogarithmic);
    }

    /// <summary>An axis from one value to another.</summary>
    public static Axis Between(double low, double high, double from, double to) => new(low, high, from, to, false);

    /// <summary>The place of a value; not finite if it cannot be shown.</summary>
    public double Place(double value) => from + ((Scaled(value, isLogarithmic) - low) / (high - low) * (to - from));

    /// <summary>Whether a value lies at an end of the axis.</summary>
    public bool IsEnd(double value) => Scaled(value, isLogarithmic) == low || Scaled(value, isLogarithmic) == high;

    /// <summary>Round values to label, and their labels.</summary>
    public IEnumerable<(double Place, string Label)> Ticks(int count) =>
        (isLogarithmic ? LogarithmicTicks() : LinearTicks(count)).Select(tick => (Place(tick), Number(tick)));

    /// <summary>A number as a label.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e5 or < 1e-3 => value.ToString("0.#e+0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    private static double Scaled(double value, bool isLogarithmic) =>
        isLogarithmic ? (value > 0 ? Math.Log10(value) : double.NaN) : value;

    /// <summary>Round numbers, 1, 2 or 5 times a power of ten apart.</summary>
    private IEnumerable<double> LinearTicks(int count)
    {
        double raw = (high - low) / count;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        for (double tick = Math.Ceiling((low / step) - 1e-9) * step; tick <= high + (1e-9 * step); tick += step)
        {
            yield return Math.Abs(tick) < 1e-12 * step ? 0 : tick;
        }
    }

    /// <summary>Powers of ten, few enough to be read, and 2 and 5 times them where few fit.</summary>
    private IEnumerable<double> LogarithmicTicks()
    {
        double[] factors = high - low > 3 ? [1] : [1, 2, 5];
        int step = Math.Max(1, (int)Math.Ceiling((high - low) / 9));
        for (int exponent = (int)Math.Floor(low); exponent <= high; exponent++)
        {
            foreach (double factor in factors)
            {
                double tick = exponent + Math.Log10(factor);
                if (tick >= low && tick <= high && exponent % step == 0)
                {
                    yield return factor * Math.Pow(10, exponent);
                }
            }
        }
    }
}
