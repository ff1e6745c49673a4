using System.Globalization;

namespace Minigrad.Plots;

/// <summary>A range of values and the places in a drawing that it covers, linear or logarithmic.</summary>
internal sealed class Axis
{
    /// <summary>A smaller part of the values than this is what rounding made of equal ones: there are too few numbers within for an axis.</summary>
    private const double LeastRange = 1e-12;

    /// <summary>Fewer labels than this do not say how far values lie apart.</summary>
    private const int FewestTicks = 2;

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
    /// <exception cref="InvalidOperationException">There is none, or they lie too far apart.</exception>
    public static Axis Around(IEnumerable<double> values, string label, double from, double to, bool isLogarithmic = false) =>
        TryAround(values, label, from, to, isLogarithmic)
        ?? throw new InvalidOperationException($"There is nothing to draw: '{label}' has no finite value. Was anything recorded?");

    /// <summary>An axis that shows all finite values, or null if there is none.</summary>
    /// <exception cref="InvalidOperationException">They lie too far apart.</exception>
    public static Axis? TryAround(IEnumerable<double> values, string label, double from, double to, bool isLogarithmic = false)
    {
        List<double> finite = [.. values.Select(value => Scaled(value, isLogarithmic)).Where(double.IsFinite)];
        if (finite.Count == 0)
        {
            return null;
        }

        (double low, double high) = (finite.Min(), finite.Max());
        double size = Math.Max(Math.Abs(low), Math.Abs(high));
        double margin = high - low > LeastRange * size ? 0 : Math.Max(1e-3, size * 0.05);
        return double.IsFinite(high + margin - (low - margin))
            ? new Axis(low - margin, high + margin, from, to, isLogarithmic)
            : throw new InvalidOperationException(
                $"'{label}' has values from {low} to {high}, and no number is large enough for the length of an axis around them. Divide the values, or leave out what is not meant to be drawn.");
    }

    /// <summary>Whether a value can be shown: it is finite and, on a logarithmic axis, positive.</summary>
    public static bool CanShow(double value, bool isLogarithmic) => double.IsFinite(Scaled(value, isLogarithmic));

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
        if (!isLogarithmic)
        {
            return LinearTicks(low, high, count);
        }

        List<double> round = [.. LogarithmicTicks()];
        return round.Count >= FewestTicks
            ? round.Select(tick => (Place(tick), Number(tick)))
            : LinearTicks(Math.Pow(10, low), Math.Pow(10, high), count);
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
    private static IEnumerable<double> Multiples(double step, double least, double most)
    {
        double first = Math.Ceiling((least / step) - 1e-9);
        double last = Math.Floor((most / step) + 1e-9);
        double before = double.NaN;
        for (int i = 0; i <= last - first; i++)
        {
            double tick = (first + i) * step;
            if (tick != before && tick >= least - (1e-9 * step) && tick <= most + (1e-9 * step))
            {
                yield return tick;
            }

            before = tick;
        }
    }

    /// <summary>Round values at equal distances, and their labels.</summary>
    private IEnumerable<(double Place, string Label)> LinearTicks(double least, double most, int count)
    {
        double raw = (most - least) / count;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        double finest = Exponent(step);
        double largest = Math.Max(Math.Abs(least), Math.Abs(most));
        bool areTold = Exponent(largest) - finest <= MostDecimals || (IsPlain(largest) && -finest <= MostDecimals);
        return Multiples(step, least, most).Select((tick, i) => (Place(tick), areTold ? Number(tick, finest) : i == 0 ? Number(tick) : string.Empty));
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
                double place = exponent + Math.Log10(factor);
                double tick = factor * Math.Pow(10, exponent);
                if (place >= low && place <= high && exponent % step == 0 && CanShow(tick, isLogarithmic))
                {
                    yield return tick;
                }
            }
        }
    }
}
