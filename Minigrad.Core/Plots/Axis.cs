using System.Globalization;

namespace Minigrad.Plots;

/// <summary>A range of values and the places in a drawing that it covers, linear or logarithmic.</summary>
internal sealed class Axis
{
    /// <summary>A smaller part of the values than this is what rounding made of equal ones: there are too few numbers within for an axis.</summary>
    private const double LeastRange = 1e-12;

    /// <summary>Digits behind the point for which there is room beside an axis.</summary>
    private const int MostDecimals = 4;

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
        double size = Math.Max(Math.Abs(low), Math.Abs(high));
        double margin = high - low > LeastRange * size ? 0 : Math.Max(1e-3, size * 0.05);
        return new Axis(low - margin, high + margin, from, to, isLogarithmic);
    }

    /// <summary>An axis from one value to another.</summary>
    public static Axis Between(double low, double high, double from, double to) => new(low, high, from, to, false);

    /// <summary>The place of a value; not finite if it cannot be shown.</summary>
    public double Place(double value) => from + ((Scaled(value, isLogarithmic) - low) / (high - low) * (to - from));

    /// <summary>How far places lie apart whose values do so by a distance.</summary>
    public double Length(double distance) => distance / (high - low) * (to - from);

    /// <summary>Whether a value lies at an end of the axis.</summary>
    public bool IsEnd(double value) => Scaled(value, isLogarithmic) == low || Scaled(value, isLogarithmic) == high;

    /// <summary>Round values to label, and their labels; only the first has one where those of neighbours would be the same.</summary>
    public IEnumerable<(double Place, string Label)> Ticks(int count)
    {
        if (isLogarithmic)
        {
            return LogarithmicTicks().Select(tick => (Place(tick), Number(tick)));
        }

        double raw = (high - low) / count;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        double finest = Exponent(step);
        double largest = Math.Max(Math.Abs(low), Math.Abs(high));
        bool areTold = Exponent(largest) - finest <= MostDecimals || (IsPlain(largest) && -finest <= MostDecimals);
        return LinearTicks(step).Select((tick, i) => (Place(tick), areTold ? Number(tick, finest) : i == 0 ? Number(tick) : string.Empty));
    }

    /// <summary>A number as a label.</summary>
    /// <param name="value">The number.</param>
    /// <param name="finest">The power of ten of a digit that has to be seen.</param>
    public static string Number(double value, double finest = double.PositiveInfinity)
    {
        if (value == 0)
        {
            return "0";
        }

        bool isPlain = IsPlain(value);
        double decimals = isPlain ? Math.Max(MostDecimals, -finest) : Math.Max(1, Exponent(Math.Abs(value)) - finest);
        return value.ToString($"0.{new string('#', (int)decimals)}{(isPlain ? "" : "e+0")}", CultureInfo.InvariantCulture);
    }

    private static bool IsPlain(double value) => Math.Abs(value) is >= 1e-3 and < 1e5;

    /// <summary>The power of ten of the first digit, also of what rounding has left a little below a power of ten.</summary>
    private static double Exponent(double value) => Math.Floor(Math.Log10(value) + 1e-9);

    private static double Scaled(double value, bool isLogarithmic) =>
        isLogarithmic ? (value > 0 ? Math.Log10(value) : double.NaN) : value;

    /// <summary>Multiples of a step. They are counted, because adding a small step to a large number may leave it as it is.</summary>
    private IEnumerable<double> LinearTicks(double step)
    {
        double first = Math.Ceiling((low / step) - 1e-9);
        double last = Math.Floor((high / step) + 1e-9);
        double before = double.NaN;
        for (int i = 0; i <= last - first; i++)
        {
            double tick = (first + i) * step;
            if (tick != before && tick >= low - (1e-9 * step) && tick <= high + (1e-9 * step))
            {
                yield return tick;
            }

            before = tick;
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
