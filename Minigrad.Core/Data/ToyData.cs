namespace Minigrad.Data;

/// <summary>
/// Small problems that are made, not measured: their answers are known, and each tries one ability of a model. The same
/// generator at the same position makes the same data.
/// </summary>
public static class ToyData
{
    // An arm of a spiral goes round this often, as in Lang and Witbrock's three turns for a pair of arms.
    private const float Turns = 1.5f;

    /// <summary>
    /// Two half circles, one reaching into the other; the classes take turns row by row. No straight line parts them.
    /// </summary>
    /// <param name="count">The number of rows.</param>
    /// <param name="noise">The standard deviation of what is added to each coordinate.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>Features <c>[count, 2]</c> and the classes 0 (upper moon) and 1 (lower moon).</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is less than 1, or the noise is negative.</exception>
    /// <remarks>Pedregosa et al. (2011), "Scikit-learn: Machine Learning in Python", JMLR 12: its <c>make_moons</c>.</remarks>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public static LabeledData TwoMoons(int count, float noise = 0.1f, Generator? generator = null) =>
        Plane(count, 2, noise, generator, (moon, place) =>
        {
            (float sine, float cosine) = MathF.SinCos(MathF.PI * place);
            return moon == 0 ? (cosine, sine) : (1f - cosine, 0.5f - sine);
        });

    /// <summary>
    /// Spirals wound around one another, an arm for each class, from the centre out to a distance of 1; the classes take
    /// turns row by row.
    /// </summary>
    /// <param name="count">The number of rows.</param>
    /// <param name="arms">The number of spirals.</param>
    /// <param name="noise">The standard deviation of what is added to each coordinate.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>Features <c>[count, 2]</c> and the classes 0 … arms − 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count or the number of arms is less than 1, or the noise is negative.</exception>
    /// <remarks>Lang and Witbrock (1988), "Learning to Tell Two Spirals Apart", Connectionist Models Summer School.</remarks>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public static LabeledData Spirals(int count, int arms = 2, float noise = 0.02f, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(arms);
        return Plane(count, arms, noise, generator, (arm, place) =>
        {
            (float sine, float cosine) = MathF.SinCos(2f * MathF.PI * ((Turns * place) + ((float)arm / arms)));
            return (place * cosine, place * sine);
        });
    }

    /// <summary>A sine wave with noise: sin(2π t / period) + noise · ε, for <see cref="TimeSeries.Windows(float[], int, int, int)"/>.</summary>
    /// <param name="length">The number of steps.</param>
    /// <param name="period">The steps of one wave.</param>
    /// <param name="noise">The standard deviation of the noise.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>The values at t = 0 … length − 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than 1, the period is not positive and finite, or the noise is negative.</exception>
    /// <exception cref="ShapeException">There would be more numbers than one array can hold.</exception>
    public static float[] NoisySine(int length, double period, float noise = 0.1f, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        if (!(period > 0 && double.IsFinite(period)))
        {
            throw new ArgumentOutOfRangeException(nameof(period), period, $"ToyData.NoisySine: the period is {period}, but the steps of one wave must be a finite number above 0.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(noise);
        float[] values = Tensor.Normal([length], 0f, noise, generator).ToArray();
        for (int t = 0; t < length; t++)
        {
            values[t] += (float)Math.Sin(2 * Math.PI * t / period);
        }

        return values;
    }

    /// <summary>
    /// The adding problem: a sequence of numbers of which two are marked; their sum is the target. A model must carry the
    /// first over the whole distance. Always answering 1 gives a mean square error of 1/6.
    /// </summary>
    /// <param name="count">The number of sequences.</param>
    /// <param name="length">The steps of each, at least 2.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>Inputs <c>[count, length, 2]</c>: a number from [0, 1), and 1 where it is marked, once in each half; targets
    /// <c>[count, 1]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is less than 1, the length less than 2, or there are more numbers than a tensor holds.</exception>
    /// <remarks>
    /// Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8), experiment 4; with 0 and 1 as
    /// marks, as in Le, Jaitly and Hinton (2015), "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units".
    /// </remarks>
    public static PairedData AddingProblem(int count, int length, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        CheckFits(nameof(AddingProblem), count, 2L * length);
        generator ??= Generator.Default;
        float[] inputs = new float[count * length * 2];
        float[] targets = new float[count];
        int half = length / 2;
        for (int row = 0; row < count; row++)
        {
            Span<float> sequence = inputs.AsSpan(row * length * 2, length * 2);
            for (int step = 0; step < length; step++)
            {
                sequence[2 * step] = generator.Next();
            }

            int first = 2 * generator.Next(half);
            int second = 2 * (half + generator.Next(length - half));
            (sequence[first + 1], sequence[second + 1]) = (1f, 1f);
            targets[row] = sequence[first] + sequence[second];
        }

        return new PairedData(Tensor.Of(inputs, count, length, 2), Tensor.Of(targets, count, 1));
    }

    /// <summary>
    /// The copying problem: symbols, a wait, and a signal after which the symbols are to be given again in their order. A
    /// model must hold them all through the wait.
    /// </summary>
    /// <param name="count">The number of sequences.</param>
    /// <param name="symbols">How many symbols are to be remembered.</param>
    /// <param name="delay">The steps from the last symbol to the signal, at least 1.</param>
    /// <param name="alphabet">How many different symbols there are.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>
    /// Tokens <c>[count, delay + 2 · symbols]</c>: 0 is a blank, 1 … alphabet are the symbols, alphabet + 1 is the signal. The
    /// targets are blank up to and with the signal, then the symbols.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1, or there are more tokens than an array holds.</exception>
    /// <remarks>
    /// Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8); in the form of Arjovsky, Shah
    /// and Bengio (2016), "Unitary Evolution Recurrent Neural Networks", where symbols is 10 and alphabet 8.
    /// </remarks>
    public static TokenData CopyMemory(int count, int symbols, int delay, int alphabet = 8, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(symbols);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delay);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alphabet);
        CheckFits(nameof(CopyMemory), count, delay + (2L * symbols));
        generator ??= Generator.Default;
        int length = delay + (2 * symbols);
        int[] inputs = new int[count * length];
        int[] targets = new int[inputs.Length];
        for (int row = 0; row < count; row++)
        {
            int start = row * length;
            for (int i = 0; i < symbols; i++)
            {
                int symbol = 1 + generator.Next(alphabet);
                inputs[start + i] = symbol;
                targets[start + symbols + delay + i] = symbol;
            }

            inputs[start + symbols + delay - 1] = alphabet + 1;
        }

        return new TokenData(new Indices(inputs, [count, length]), new Indices(targets, [count, length]));
    }

    /// <summary>
    /// Parity: whether the ones of a sequence of bits are odd in number. Every single bit turns the answer round; both
    /// answers are equally frequent and take turns row by row.
    /// </summary>
    /// <param name="count">The number of sequences.</param>
    /// <param name="length">The bits of each.</param>
    /// <param name="generator">Where the numbers come from; <see cref="Generator.Default"/> if null.</param>
    /// <returns>Features <c>[count, length, 1]</c> of 0 and 1, and the classes 0 (even) and 1 (odd).</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count or the length is less than 1, or there are more bits than a tensor holds.</exception>
    /// <remarks>Minsky and Papert (1969), "Perceptrons", chapter 3.</remarks>
    public static LabeledData Parity(int count, int length, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        CheckFits(nameof(Parity), count, length);
        generator ??= Generator.Default;
        float[] bits = new float[count * length];
        int[] labels = new int[count];
        for (int row = 0; row < count; row++)
        {
            labels[row] = row % 2;
            int last = labels[row]; // The last bit makes up what the drawn ones lack.
            for (int step = 0; step < length - 1; step++)
            {
                int bit = generator.Next(2);
                bits[(row * length) + step] = bit;
                last ^= bit;
            }

            bits[(row * length) + length - 1] = last;
        }

        return new LabeledData(Tensor.Of(bits, count, length, 1), labels);
    }

    // Whether sequences of so many numbers each fit an array together.
    private static void CheckFits(string problem, int count, long numbers)
    {
        if (numbers > Array.MaxLength / count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"ToyData.{problem}: {count:N0} sequences of {numbers:N0} numbers each are more than the {Array.MaxLength:N0} elements that one array can hold. Ask for fewer or for shorter ones.");
        }
    }

    // Points on curves, one for each class; place runs along a curve from 0 to 1.
    private static LabeledData Plane(
        int count, int classes, float noise, Generator? generator, Func<int, float, (float X, float Y)> curve)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(noise);
        float[] places = Tensor.Uniform([count], generator: generator).ToArray();
        float[] features = Tensor.Normal([count, 2], 0f, noise, generator).ToArray();
        int[] labels = new int[count];
        for (int row = 0; row < count; row++)
        {
            labels[row] = row % classes;
            (float x, float y) = curve(labels[row], places[row]);
            features[2 * row] += x;
            features[(2 * row) + 1] += y;
        }

        return new LabeledData(Tensor.Of(features, count, 2), labels);
    }
}
