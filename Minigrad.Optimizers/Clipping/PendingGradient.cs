using Minigrad.Autodiff;
using Minigrad.Backends;

namespace Minigrad.Optimizers.Clipping;

/// <summary>
/// One gradient on its way through the stages: the numbers in memory, and the scale that was decided but not written.
/// Its value is clamp(g · coefficient · unit factor, low, high). An optimizer keeps one for each parameter and begins it anew
/// at every step. What a stage has written is memory of its own: the parameter's gradient stays as backward left it, so that another
/// step does not unscale and average it twice, and one that throws has changed nothing.
/// </summary>
/// <param name="parameter">The parameter.</param>
/// <param name="number">Its place among all that were given, with gradients or without.</param>
internal sealed class PendingGradient(Tensor parameter, int number)
{
    private Tensor? gradient;
    private Tensor? own;
    private ThresholdScope unitScope;

    /// <summary>The parameter.</summary>
    public Tensor Parameter { get; } = parameter;

    /// <summary>What messages call the parameter.</summary>
    public string Name => NonFiniteGradients.NameOf(Parameter, number);

    /// <summary>Whether there is a gradient.</summary>
    public bool HasGradient => gradient is not null;

    /// <summary>The parameter's gradient as backward left it, or as a stage has written it to memory of its own.</summary>
    public Tensor Gradient => gradient
        ?? throw new InvalidOperationException("This parameter has no gradient. Please report this as a fault of Minigrad.");

    /// <summary>The L2 norm of the numbers in memory.</summary>
    public double NormInMemory { get; set; }

    /// <summary>The factor of all elements.</summary>
    public double Coefficient { get; set; } = 1;

    /// <summary>A factor for each unit, or null.</summary>
    public double[]? UnitCoefficients { get; private set; }

    /// <summary>The L2 norms of the units in memory, known while there are unit factors.</summary>
    public double[]? UnitNorms { get; private set; }

    /// <summary>The smallest value, −∞ for none; applied after the factors.</summary>
    public double Low { get; private set; } = double.NegativeInfinity;

    /// <summary>The largest value, +∞ for none; applied after the factors.</summary>
    public double High { get; private set; } = double.PositiveInfinity;

    /// <summary>Which stage the bounds are of; no other can be pending, since a stage writes what is pending before it looks.</summary>
    public int BoundStage { get; private set; }

    /// <summary>The stages of whose bounds an element was found outside when they were written or read.</summary>
    public List<int> ActedBounds { get; } = [];

    /// <summary>Whether the norm of the value follows from norms that were measured.</summary>
    public bool HasKnownNorm => double.IsNegativeInfinity(Low) && double.IsPositiveInfinity(High);

    /// <summary>Whether the value is the numbers in memory times one factor.</summary>
    public bool IsPlainlyScaled => HasKnownNorm && UnitCoefficients is null;

    /// <summary>The L2 norm of the value, or, under a bound, what it is before the bound.</summary>
    public double Norm
    {
        get
        {
            if (UnitCoefficients is null)
            {
                return Coefficient * NormInMemory;
            }

            double sum = 0;
            for (int unit = 0; unit < UnitCoefficients.Length; unit++)
            {
                double norm = UnitCoefficients[unit] * UnitNorms![unit];
                sum += norm * norm;
            }

            return Coefficient * Math.Sqrt(sum);
        }
    }

    /// <summary>An upper limit of the magnitude of any element.</summary>
    public double LargestPossible => Math.Min(Norm, Math.Max(-Low, High));

    /// <summary>Whether a gradient has the shape of its parameter and lies where that does.</summary>
    /// <param name="gradient">The gradient.</param>
    /// <param name="parameter">The parameter.</param>
    public static bool Fits(Tensor gradient, Tensor parameter) =>
        gradient.Shape.Equals(parameter.Shape) && ReferenceEquals(gradient.Backend, parameter.Backend);

    /// <summary>What is wrong with a gradient that does not fit.</summary>
    /// <param name="gradient">The gradient.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="number">Its place among all that were given.</param>
    public static string WhyNoFit(Tensor gradient, Tensor parameter, int number) =>
        $"'{NonFiniteGradients.NameOf(parameter, number)}' has shape {parameter.Shape} on {parameter.Backend.Name}, but its gradient has shape {gradient.Shape} on {gradient.Backend.NameBeside(parameter.Backend)}; "
        + "both must be the same. Was a gradient set by hand, or the parameter moved after backward?";

    /// <summary>The number of units of a parameter: rows or columns of a matrix, one for a vector or a scalar.</summary>
    /// <param name="parameter">The parameter.</param>
    public static UnitCounts UnitCountsOf(Tensor parameter) => parameter.Length == 0
        ? default
        : parameter.Rank > 1 ? new UnitCounts(parameter.Shape[0], parameter.Shape[^1]) : new UnitCounts(1, 1);

    /// <summary>The L2 norm of each unit.</summary>
    /// <param name="tensor">A parameter or its gradient, not empty.</param>
    /// <param name="scope">Rows or columns.</param>
    public static double[] UnitNormsOf(Tensor tensor, ThresholdScope scope)
    {
        Backend backend = tensor.Backend;
        double[] norms = new double[UnitCountsOf(tensor).Series(scope)];
        Storage units = tensor.Storage;
        if (scope == ThresholdScope.Column && norms.Length > 1)
        {
            // Turned, so that the elements of a unit lie side by side as those of a row do.
            int[] dimensions = [tensor.Length / norms.Length, norms.Length];
            units = backend.Allocate(tensor.Length);
            backend.Copy(
                tensor.Storage,
                StridedLayout.RowMajor(dimensions),
                units,
                new StridedLayout(0, [1, dimensions[0]]),
                dimensions);
        }

        backend.Norms(units, 2, norms);
        return norms;
    }

    /// <summary>Begins with a gradient of which nothing is known but its factor.</summary>
    public void Begin(Tensor gradient, double coefficient)
    {
        ActedBounds.Clear();
        BeginAt(gradient, coefficient);
    }

    /// <summary>Bounds the value, if an edge is finite.</summary>
    /// <param name="low">The smallest value.</param>
    /// <param name="high">The largest value.</param>
    /// <param name="stage">Which stage of the step asks for it.</param>
    public void Bound(double low, double high, int stage)
    {
        if (double.IsFinite(low) || double.IsFinite(high))
        {
            (Low, High, BoundStage) = (low, high, stage);
        }
    }

    /// <summary>Lets go of the gradient.</summary>
    public void Forget() => gradient = null;

    /// <summary>Multiplies each unit by a factor of its own, without touching memory.</summary>
    /// <param name="coefficients">The factors.</param>
    /// <param name="norms">The units' norms in memory.</param>
    /// <param name="scope">Rows or columns.</param>
    public void ScaleUnits(double[] coefficients, double[] norms, ThresholdScope scope) =>
        (UnitCoefficients, UnitNorms, unitScope) = (coefficients, norms, scope);

    /// <summary>What is pending now, for a report that outlives the step.</summary>
    public PendingGradient Copy() => (PendingGradient)MemberwiseClone();

    /// <summary>What the update has to apply as it reads.</summary>
    public GradientScale Scale()
    {
        (float first, float second) = GradientScale.Split(Coefficient);
        GradientScale scale = new(first, second, (float)Low, (float)High);
        return UnitCoefficients is null
            ? scale
            : scale with { UnitFactors = UnitFactors(), UnitLength = UnitLength, UnitCount = UnitCoefficients.Length };
    }

    /// <summary>Measures the numbers in memory.</summary>
    public void Measure()
    {
        Span<double> norm = [0];
        Gradient.Backend.Norms(Gradient.Storage, 2, norm);
        NormInMemory = norm[0];
    }

    /// <summary>Writes what is pending into memory of its own and measures again.</summary>
    public void Flush()
    {
        if (!IsAsInMemory)
        {
            WriteTo(Own());
            Measure();
        }
    }

    /// <summary>Has the value in memory of its own, which may be written to.</summary>
    /// <returns>That memory, whose norm is not known after it was written to.</returns>
    public Storage Take()
    {
        if (!IsAsInMemory || !ReferenceEquals(Gradient, own))
        {
            WriteTo(Own());
        }

        return Gradient.Storage;
    }

    /// <summary>Writes the value into the parameter's gradient, after which the norm is not known.</summary>
    public void WriteInPlace()
    {
        Tensor target = Parameter.GatheredGradient!;
        if (!IsAsInMemory || !ReferenceEquals(Gradient, target))
        {
            WriteTo(target);
        }
    }

    /// <summary>Gives the parameter the value as a gradient of its own, where another has the same gradient, which is to be written.</summary>
    public void WriteApart()
    {
        ScaleMark? mark = Parameter.GradientMark;
        Take();
        Parameter.Gradient = Gradient;
        Parameter.GradientMark = mark;
    }

    /// <summary>The L2 norm of the value, measured on a copy where it does not follow from known norms.</summary>
    public double MeasureClippedNorm()
    {
        if (HasKnownNorm)
        {
            return Norm;
        }

        Storage copy = Gradient.Backend.Allocate(Gradient.Length);
        Gradient.Backend.WriteScaled(Gradient.Storage, Scale(), copy);
        Span<double> norm = [0];
        Gradient.Backend.Norms(copy, 2, norm);
        return norm[0];
    }

    /// <summary>Whether nothing is pending.</summary>
    private bool IsAsInMemory => Coefficient == 1 && IsPlainlyScaled;

    private Tensor Own() => own = own is not null && ReferenceEquals(own.Backend, Gradient.Backend)
        ? own
        : new Tensor(Gradient.Shape, Gradient.Backend.Allocate(Gradient.Length));

    private void WriteTo(Tensor target)
    {
        if (Gradient.Backend.WriteScaled(Gradient.Storage, Scale(), target.Storage))
        {
            ActedBounds.Add(BoundStage);
        }

        target.Storage.MarkChanged();
        BeginAt(target, 1);
    }

    private void BeginAt(Tensor gradient, double coefficient)
    {
        this.gradient = gradient;
        (Coefficient, UnitCoefficients, UnitNorms) = (coefficient, null, null);
        (Low, High) = (double.NegativeInfinity, double.PositiveInfinity);
    }

    /// <summary>How many consecutive elements are of one unit.</summary>
    private int UnitLength => unitScope == ThresholdScope.Column && UnitCoefficients!.Length > 1
        ? 1
        : Math.Max(1, Gradient.Length / UnitCoefficients!.Length);

    private Storage UnitFactors()
    {
        float[] factors = new float[2 * UnitCoefficients!.Length];
        for (int unit = 0; unit < UnitCoefficients.Length; unit++)
        {
            (factors[2 * unit], factors[(2 * unit) + 1]) = GradientScale.Split(UnitCoefficients[unit]);
        }

        Storage storage = Gradient.Backend.Allocate(factors.Length);
        Gradient.Backend.Upload(factors, storage);
        return storage;
    }
}
