using Minigrad.Backends;
using Minigrad.Backends.Cpu;
using Minigrad.Operations;

namespace Minigrad;

/// <content>How tensors come to be.</content>
public sealed partial class Tensor
{
    /// <summary>A number as a tensor of no dimensions.</summary>
    public static implicit operator Tensor(float value) => Full([], value);

    /// <summary>Where a tensor is made that is not told where. The tests put another backend here, to run on a device what they run on the CPU.</summary>
    internal static Backend DefaultBackend { get; set; } = CpuBackend.Instance;

    /// <summary>All zeros.</summary>
    /// <param name="shape">The dimensions: <c>Tensor.Zeros(2, 3)</c>.</param>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Zeros(params ReadOnlySpan<int> shape) => Full(shape, 0f);

    /// <summary>All ones.</summary>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Ones(params ReadOnlySpan<int> shape) => Full(shape, 1f);

    /// <summary>All one value.</summary>
    /// <param name="shape">The dimensions.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Full(ReadOnlySpan<int> shape, float value) => Filled(shape, value, DefaultBackend);

    /// <summary>A tensor of one dimension.</summary>
    /// <param name="values">The numbers; they are copied.</param>
    public static Tensor Of(ReadOnlySpan<float> values) => Of(values, [values.Length]);

    /// <summary>A tensor with numbers in row-major order: <c>Tensor.Of([1, 2, 3, 4], 2, 2)</c>.</summary>
    /// <param name="values">The numbers; they are copied.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ShapeException">The shape has another number of elements.</exception>
    public static Tensor Of(ReadOnlySpan<float> values, params ReadOnlySpan<int> shape)
    {
        Shape wanted = Shape.Create(shape);
        if (wanted.Size != values.Length)
        {
            throw new ShapeException(
                $"Tensor.Of: {values.Length} numbers do not fill shape {wanted}, which has {wanted.Size} elements.");
        }

        Tensor result = Allocate(wanted, DefaultBackend);
        result.Backend.Upload(values, result.Storage);
        return result;
    }

    /// <summary>A tensor from a nested array: <c>Tensor.Of(new float[,] { { 1, 2 }, { 3, 4 } })</c>.</summary>
    /// <param name="values">An array of float, double or int of any rank, rectangular or jagged.</param>
    /// <exception cref="ShapeException">Rows of a jagged array differ in length.</exception>
    /// <exception cref="ArgumentException">The elements are not numbers.</exception>
    public static Tensor Of(Array values)
    {
        ArgumentNullException.ThrowIfNull(values);
        List<int> dimensions = [];
        List<float> elements = new(values.Length);
        Flatten(values, 0, dimensions, elements);
        return Of([.. elements], [.. dimensions]);
    }

    /// <summary>start, start + step, … below end, as [n].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">Where to stop; it is not included.</param>
    /// <param name="step">The difference of two numbers, not 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is 0, NaN, or leads away from the end.</exception>
    /// <exception cref="ShapeException">The numbers are more than an array can hold.</exception>
    public static Tensor Arange(float start, float end, float step = 1f)
    {
        double count = Math.Ceiling(((double)end - start) / step);
        if (!double.IsFinite(count) || count < 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), step, $"Arange from {start} to {end} never arrives with step {step}: the step must not be 0 and must lead from start to end.");
        }

        float[] values = NumbersOf(nameof(Arange), count);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(start + ((double)i * step));
        }

        // In float32 the last number may be the end itself.
        bool arrives = values.Length > 0 && (step > 0 ? values[^1] >= end : values[^1] <= end);
        return Of(values.AsSpan(0, arrives ? values.Length - 1 : values.Length));
    }

    /// <summary>0, 1, … below end, as [n].</summary>
    /// <param name="end">Where to stop; it is not included.</param>
    public static Tensor Arange(float end) => Arange(0f, end);

    /// <summary>Evenly spaced numbers from start to end, both included, as [n].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">The last number.</param>
    /// <param name="count">How many, 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public static Tensor Linspace(float start, float end, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        float[] values = NumbersOf(nameof(Linspace), count);
        for (int i = 0; i < count; i++)
        {
            double fraction = count == 1 ? 0 : (double)i / (count - 1);
            values[i] = (float)(start + (fraction * ((double)end - start)));
        }

        return Of(values, count);
    }

    /// <summary>The identity matrix, [n, n].</summary>
    /// <param name="size">n.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public static Tensor Eye(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        float[] values = new float[Shape.Create(size, size).Size];
        for (int i = 0; i < size; i++)
        {
            values[(i * size) + i] = 1f;
        }

        return Of(values, size, size);
    }

    /// <summary>Numbers drawn uniformly from [low, high).</summary>
    /// <param name="shape">The dimensions.</param>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end, not below the lower.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ends are not finite, too far apart for a float, or the upper lies below the lower.</exception>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Uniform(ReadOnlySpan<int> shape, float low = 0f, float high = 1f, Generator? generator = null) =>
        high >= low && float.IsFinite(high - low)
            ? Random(shape, new UniformDistribution(low, high), generator)
            : throw new ArgumentOutOfRangeException(
                nameof(high), high, $"Tensor.Uniform draws from [low, high), but was given [{low}, {high}). Both must be finite, with a finite distance, and high not below low.");

    /// <summary>Numbers drawn from a normal distribution.</summary>
    /// <param name="shape">The dimensions.</param>
    /// <param name="mean">The mean μ.</param>
    /// <param name="standardDeviation">The standard deviation σ, at least 0.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mean is not finite, or the deviation is negative or not finite.</exception>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Normal(
        ReadOnlySpan<int> shape, float mean = 0f, float standardDeviation = 1f, Generator? generator = null) =>
        float.IsFinite(mean) && float.IsFinite(standardDeviation) && standardDeviation >= 0
            ? Random(shape, new NormalDistribution(mean, standardDeviation), generator)
            : throw new ArgumentOutOfRangeException(
                nameof(standardDeviation), standardDeviation, $"Tensor.Normal was given mean {mean} and standard deviation {standardDeviation}. Both must be finite, and the deviation not negative; it is a deviation, not a variance.");

    /// <summary>Numbers drawn from any distribution.</summary>
    /// <typeparam name="TDistribution">The distribution.</typeparam>
    /// <param name="shape">The dimensions.</param>
    /// <param name="distribution">The distribution and its parameters.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ShapeException">A dimension is negative, or there are more elements than one array can hold.</exception>
    public static Tensor Random<TDistribution>(
        ReadOnlySpan<int> shape, TDistribution distribution, Generator? generator = null)
        where TDistribution : unmanaged, IDistribution =>
        Random(shape, distribution, generator, DefaultBackend);

    /// <summary>Numbers drawn on the backend that will use them.</summary>
    internal static Tensor Random<TDistribution>(
        ReadOnlySpan<int> shape, TDistribution distribution, Generator? generator, Backend backend)
        where TDistribution : unmanaged, IDistribution
    {
        Tensor result = Allocate(Shape.Create(shape), backend);
        result.Backend.Fill(distribution, (generator ?? Generator.Default).Take(result.Length), result.Storage);
        return result;
    }

    /// <summary>All one value, made where it will be used: nothing is copied from the host.</summary>
    internal static Tensor Filled(ReadOnlySpan<int> shape, float value, Backend backend)
    {
        Tensor result = Allocate(Shape.Create(shape), backend);
        backend.Fill(result.Storage, value);
        return result;
    }

    /// <summary>Room for numbers in one dimension, whose count may be more than there can be.</summary>
    private static float[] NumbersOf(string operation, double count) =>
        count <= Array.MaxLength
            ? new float[(int)count]
            : throw new ShapeException($"{operation} would make {count:N0} numbers, more than the {Array.MaxLength:N0} elements that one array can hold.");

    private static void Flatten(Array values, int depth, List<int> dimensions, List<float> elements)
    {
        for (int axis = 0; axis < values.Rank; axis++)
        {
            int length = values.GetLength(axis);
            if (dimensions.Count == depth + axis)
            {
                dimensions.Add(length);
            }
            else if (dimensions[depth + axis] != length)
            {
                throw new ShapeException(
                    $"Tensor.Of: a row of the nested array has {length} elements where an earlier one has {dimensions[depth + axis]}; all rows must be equally long.");
            }
        }

        foreach (object? element in values)
        {
            bool isNumber = element is not Array;
            if (isNumber ? dimensions.Count > depth + values.Rank : elements.Count > 0 && dimensions.Count == depth + values.Rank)
            {
                throw new ShapeException("Tensor.Of: the nested array has a number beside a row; all rows must be nested equally deep.");
            }

            if (element is Array row)
            {
                Flatten(row, depth + values.Rank, dimensions, elements);
            }
            else
            {
                elements.Add(element switch
                {
                    float single => single,
                    double number => (float)number,
                    int whole => whole,
                    _ => throw new ArgumentException(
                        $"Tensor.Of takes an array of float, double or int, but found {element?.GetType().Name ?? "null"}.", nameof(values)),
                });
            }
        }
    }
}
