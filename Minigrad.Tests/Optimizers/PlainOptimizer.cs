using Minigrad.Optimizers;

namespace Minigrad.Tests.Optimizers;

/// <summary>
/// Every optimizer of <see cref="OptimizerTests.Make"/> with a clip of its updates, written out as loops over doubles: what
/// the vectorised and the device's updates are held against.
/// </summary>
internal sealed class PlainOptimizer
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;

    private readonly string kind;
    private readonly string clip;
    private readonly double[][] first;
    private readonly double[][] second;
    private readonly double[][] third;
    private readonly int[] steps;
    private readonly double[] products;
    private double spikes = 50;

    public PlainOptimizer(string kind, string clip, IEnumerable<Tensor> parameters)
    {
        this.kind = kind;
        this.clip = clip;
        Parameters = [.. parameters.Select(parameter => Array.ConvertAll(parameter.ToArray(), value => (double)value))];
        first = [.. Parameters.Select(parameter => new double[parameter.Length])];
        second = [.. Parameters.Select(parameter => new double[parameter.Length])];
        third = [.. Parameters.Select(parameter => new double[parameter.Length])];
        steps = new int[Parameters.Length];
        products = [.. Parameters.Select(_ => 1.0)];
        Coefficients = [.. Parameters.Select(_ => 1.0)];
        LearningRates = [.. Parameters.Select(_ => OptimizerTests.Make(kind, [Tensor.Ones(1).WithGradient()]).LearningRate)];
        Decays = [.. Parameters.Select(_ => 0.0)];
    }

    public static string[] Clips => ["none", "rms", "stable", "clippy"];

    /// <summary>Whether a clip can be had with an optimizer.</summary>
    public static bool Fits(string kind, string clip) => clip != "stable" || kind is not ("sgd" or "momentum" or "nesterov" or "adagrad" or "adamax");

    public static UpdateClip? ClipOf(string name) => name switch
    {
        "rms" => UpdateClip.Rms(0.3),
        "stable" => UpdateClip.StableAdamW(0.01),
        "clippy" => UpdateClip.Clippy(0.05, 0.001),
        _ => null,
    };

    public double[][] Parameters { get; }

    public double[] LearningRates { get; }

    public double[] Decays { get; }

    public double[] Coefficients { get; }

    public bool Maximize { get; set; }

    /// <summary>What SPAM's θ is for a parameter by its number and max g² / v; 50 if not given.</summary>
    public Func<int, double, double>? SpikeThreshold { get; init; }

    /// <summary>One step; a parameter without a gradient is passed over.</summary>
    public void Step(IReadOnlyList<float[]?> gradients)
    {
        for (int i = 0; i < Parameters.Length; i++)
        {
            if (gradients[i] is { } gradient)
            {
                Step(i, gradient);
            }
        }
    }

    private void Step(int i, float[] gradient)
    {
        double[] p = Parameters[i];
        double[] changes = new double[p.Length];
        double[] searched = new double[p.Length];
        double[] squares = new double[p.Length];
        bool isDecoupled = kind is "adamw" or "spam";
        int t = ++steps[i];
        double momentum = Beta1 * (1 - (0.5 * Math.Pow(0.96, t * 4e-3)));
        products[i] *= momentum;
        if (SpikeThreshold is not null && p.Length > 0)
        {
            // At a reset, and in the first steps after it, there is nothing to compare with.
            double[] ratios = t % 60 < 3 ? [] : [.. gradient.Zip(second[i]).Where(pair => pair.Second > 0).Select(pair => (double)pair.First * pair.First / pair.Second)];
            spikes = SpikeThreshold(i, ratios.Append(0).Max());
        }

        for (int e = 0; e < p.Length; e++)
        {
            double g = ((Maximize ? -1 : 1) * (double)gradient[e]) + (isDecoupled ? 0 : Decays[i] * p[e]);
            searched[e] = g;
            (changes[e], squares[e]) = Change(i, e, g, t, LearningRates[i], momentum);
        }

        double part = Coefficients[i] = p.Length == 0 ? 1 : Part(i, changes, searched, squares);
        double kept = isDecoupled ? 1 - ((clip == "stable" ? part : 1) * LearningRates[i] * Decays[i]) : 1;
        for (int e = 0; e < p.Length; e++)
        {
            p[e] = (kept * p[e]) - (part * changes[e]);
        }
    }

    private double Part(int i, double[] changes, double[] searched, double[] squares)
    {
        switch (clip)
        {
            case "rms":
                double sum = changes.Sum(change => change / LearningRates[i] * (change / LearningRates[i]));
                return 1 / Math.Max(1, Math.Sqrt(sum / changes.Length) / 0.3);
            case "stable":
                double ratios = searched.Zip(squares, (g, v) => g * g / Math.Max(v, 1e-4)).Sum();
                return 1 / Math.Max(1, Math.Sqrt(ratios / changes.Length));
            case "clippy":
                return changes.Zip(Parameters[i], (change, w) => change == 0 ? 1 : ((0.05 * Math.Abs(w)) + 0.001) / Math.Abs(change)).Append(1).Min();
            default:
                return 1;
        }
    }

    /// <summary>The update Δ of an element and the mean square that it was divided by.</summary>
    private (double Change, double Square) Change(int i, int e, double g, int t, double rate, double momentum)
    {
        ref double a = ref first[i][e];
        ref double b = ref second[i][e];
        ref double c = ref third[i][e];
        switch (kind)
        {
            case "sgd":
                return (rate * g, 0);
            case "momentum":
                a = (0.9 * a) + ((t == 1 ? 1 : 0.9) * g);
                return (rate * a, 0);
            case "nesterov":
                a = (0.9 * a) + g;
                return (rate * (g + (0.9 * a)), 0);
            case "rmsprop":
                a = (0.99 * a) + (0.01 * g * g);
                return (rate * g / (Math.Sqrt(a) + 1e-8), a);
            case "rmsprop-centered":
                a = (0.99 * a) + (0.01 * g * g);
                b = (0.99 * b) + (0.01 * g);
                c = (0.5 * c) + (g / (Math.Sqrt(a - (b * b)) + 1e-8));
                return (rate * c, a - (b * b));
            case "adagrad":
                a += g * g;
                return (rate * g / (Math.Sqrt(a) + 1e-10), 0);
            case "adadelta":
                a = (0.9 * a) + (0.1 * g * g);
                double step = g * Math.Sqrt(b + 1e-6) / Math.Sqrt(a + 1e-6);
                b = (0.9 * b) + (0.1 * step * step);
                return (rate * step, a);
            case "adamax":
                a = (Beta1 * a) + ((1 - Beta1) * g);
                b = Math.Max(Beta2 * b, Math.Abs(g) + 1e-8);
                return (rate / (1 - Math.Pow(Beta1, t)) * a / b, 0);
            case "spam":
                return Spam(ref a, ref b, g, t, rate);
            default:
                return AdamLike(ref a, ref b, ref c, g, t, rate, momentum, products[i]);
        }
    }

    private (double Change, double Square) AdamLike(
        ref double mean, ref double square, ref double largest, double g, int t, double rate, double momentum, double product)
    {
        mean = (Beta1 * mean) + ((1 - Beta1) * g);
        square = (Beta2 * square) + ((1 - Beta2) * g * g);
        largest = Math.Max(largest, square);
        double power = Math.Pow(Beta2, t);
        double corrected = (kind == "amsgrad" ? largest : square) / (1 - power);
        double unbiased = mean / (1 - Math.Pow(Beta1, t));
        if (kind == "nadam")
        {
            double next = Beta1 * (1 - (0.5 * Math.Pow(0.96, (t + 1) * 4e-3)));
            unbiased = ((1 - momentum) * g / (1 - product)) + (next * mean / (1 - (product * next)));
        }
        else if (kind == "radam")
        {
            double longest = (2 / (1 - Beta2)) - 1;
            double length = longest - (2 * t * power / (1 - power));
            return length <= 5
                ? (rate * unbiased, corrected)
                : (rate * unbiased * Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
                    * Math.Sqrt(1 - power) / (Math.Sqrt(square) + 1e-8), corrected);
        }

        return (rate * unbiased / (Math.Sqrt(corrected) + 1e-8), corrected);
    }

    private (double Change, double Square) Spam(ref double mean, ref double square, double g, int t, double rate)
    {
        int since = t % 60;
        if (since == 0)
        {
            (mean, square) = (0, 0);
        }

        if (since >= 3 && square > 0 && g * g > spikes * square)
        {
            g = Math.Sign(g) * Math.Sqrt(spikes * square);
        }

        double warmth = t >= 60 && since < 20 ? 1 - (0.99 * (1 + Math.Cos(Math.PI * since / 21)) / 2) : 1;
        mean = (Beta1 * mean) + ((1 - Beta1) * g);
        square = (Beta2 * square) + ((1 - Beta2) * g * g);
        double corrected = square / (1 - Math.Pow(Beta2, t));
        return (warmth * rate * mean / (1 - Math.Pow(Beta1, t)) / (Math.Sqrt(corrected) + 1e-6), corrected);
    }
}
