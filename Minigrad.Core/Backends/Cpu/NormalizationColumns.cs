using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Normalisation of groups whose numbers lie a row apart, as the channels of <c>[batch, channels]</c>: neighbouring groups are
/// walked together, a group in each lane, down blocks of rows that stay in the nearest cache. Columns that fill no vector are
/// walked in a padded copy of their block, by the same loop.
/// </summary>
/// <remarks>
/// All vectors of a strip are walked down one block before the next: they share lines of the cache, and a line would be
/// fetched once for each vector if each went down all rows first.
/// </remarks>
internal static class NormalizationColumns
{
    /// <summary>How many neighbouring columns are one item: whole vectors of any width, and whole lines of the cache.</summary>
    public const int StripWidth = 32;

    /// <summary>How many rows make one partial sum.</summary>
    public const int RowBlock = 32;

    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>Room for the rows of a block in one vector's columns, of any width.</summary>
    private const int PaddedLength = RowBlock * 16;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 2;

    /// <summary>How many strips some columns are.</summary>
    public static int StripsOf(int columns) => (columns + StripWidth - 1) / StripWidth;

    /// <summary>How many blocks some rows are.</summary>
    public static int BlocksOf(int rows) => (rows + RowBlock - 1) / RowBlock;

    /// <summary>Means and variances of the groups.</summary>
    public static void Statistics(Workers workers, in NormalizationShape shape, float[] x, float[] statistics) =>
        workers.For(StripsOf(shape.Groups), WorkPerStrip(shape.Outer), new StripStatistics(shape, x, statistics));

    /// <summary>y = x̂ · weight + bias.</summary>
    public static void Forward(
        Workers workers, in NormalizationShape shape, float[] x, float[] statistics, float[]? weight, float[]? bias, float[] y) =>
        workers.For(StripsOf(shape.Groups), WorkPerStrip(shape.Outer), new StripForward(shape, x, statistics, weight, bias, y));

    /// <summary>The gradients of input, weights and biases, each if it is asked for.</summary>
    public static void Backward(
        Workers workers,
        in NormalizationShape shape,
        float[] x,
        float[] statistics,
        float[]? weight,
        float[] gradient,
        float[]? result,
        float[]? weightGradient,
        float[]? biasGradient)
    {
        StripBackward strips = new(shape, x, statistics, weight, gradient, result, weightGradient, biasGradient);
        workers.For(StripsOf(shape.Groups), WorkPerStrip(shape.Outer), strips);
    }

    /// <summary>The sums of a matrix's columns, if they are asked for.</summary>
    /// <param name="workers">Who computes.</param>
    /// <param name="x">Where the matrix lies; each of its rows has room for whole strips.</param>
    /// <param name="first">Its first element.</param>
    /// <param name="step">From one row to the next.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="sums">What is found, or null.</param>
    public static void Sum(Workers workers, float[] x, int first, int step, int rows, int columns, float[]? sums)
    {
        if (sums is not null)
        {
            workers.For(StripsOf(columns), WorkPerStrip(rows), new StripSums(x, first, step, rows, columns, sums));
        }
    }

    /// <summary>Copies some neighbouring columns of some rows.</summary>
    /// <param name="source">The first row's first column.</param>
    /// <param name="step">From one row of the source to the next.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="targetStep">From one row of the target to the next.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">How many columns.</param>
    public static void Copy(ReadOnlySpan<float> source, int step, Span<float> target, int targetStep, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            source.Slice(row * step, columns).CopyTo(target[(row * targetStep)..]);
        }
    }

    private static int WorkPerStrip(int rows) => (int)Math.Min(int.MaxValue, (long)WorkPerElement * rows * StripWidth);

    /// <summary>Σ (x − mean) or Σ (x − mean)² of some rows of a vector's columns.</summary>
    [MethodImpl(Loop)]
    private static TLanes SumDeviationsDown<TLanes>(ref float x, nuint step, int rows, TLanes mean, bool isSquared)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes even = 0f;
        TLanes odd = 0f;
        nuint place = 0;
        int row = 0;
        for (; row + 2 <= rows; row += 2)
        {
            even += NormalizationLoops.Term(TLanes.Load(in x, place) - mean, isSquared);
            odd += NormalizationLoops.Term(TLanes.Load(in x, place + step) - mean, isSquared);
            place += 2 * step;
        }

        return row < rows ? even + odd + NormalizationLoops.Term(TLanes.Load(in x, place) - mean, isSquared) : even + odd;
    }

    /// <summary>Σ g and Σ g · x̂ of some rows of a vector's columns, each a group, added to two sums.</summary>
    [MethodImpl(Loop)]
    private static void SumGradientsDown<TLanes>(
        StandardizedGroup<TLanes> group,
        ref float x,
        ref float gradient,
        nuint step,
        int rows,
        ref float gradientSums,
        ref float productSums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        TLanes gradients = 0f;
        TLanes products = 0f;
        for (nuint row = 0; row < (nuint)rows; row++)
        {
            TLanes g = TLanes.Load(in gradient, row * step);
            gradients += g;
            products += g * group.Value(TLanes.Load(in x, row * step));
        }

        TLanes.Store(TLanes.Load(in gradientSums, 0) + gradients, ref gradientSums, 0);
        TLanes.Store(TLanes.Load(in productSums, 0) + products, ref productSums, 0);
    }

    /// <summary>y = x̂ · weight + bias of some rows of a vector's columns, each a group.</summary>
    [MethodImpl(Loop)]
    private static void WriteDown<TLanes>(
        StandardizedGroup<TLanes> group, ref float x, TLanes weight, TLanes bias, nuint step, int rows, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        for (nuint row = 0; row < (nuint)rows; row++)
        {
            TLanes.Store(group.Output(TLanes.Load(in x, row * step), weight, bias), ref y, row * step);
        }
    }

    /// <summary>The gradients of some rows of a vector's columns, each a group.</summary>
    [MethodImpl(Loop)]
    private static void WriteGradientDown<TLanes>(
        StandardizedGroup<TLanes> group,
        ref float x,
        ref float gradient,
        TLanes weight,
        TLanes meanGradient,
        TLanes meanProduct,
        nuint step,
        int rows,
        ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        for (nuint row = 0; row < (nuint)rows; row++)
        {
            TLanes h = TLanes.Load(in gradient, row * step) * weight;
            TLanes value = group.InputGradient(TLanes.Load(in x, row * step), h, meanGradient, meanProduct);
            TLanes.Store(value, ref result, row * step);
        }
    }

    /// <summary>
    /// Some rows of a vector's columns, and the step from one to the next: as they lie, or where fewer columns are left than a
    /// vector has lanes, in a copy with zeros after them.
    /// </summary>
    private static ref float Columns<TLanes>(
        float[] matrix, int place, int rowLength, int rows, int columns, Span<float> copy, out nuint step)
        where TLanes : struct, ILanes<TLanes>
    {
        if (columns >= TLanes.Count)
        {
            step = (nuint)rowLength;
            return ref matrix[place];
        }

        step = (nuint)TLanes.Count;
        copy.Clear();
        Copy(matrix.AsSpan(place), rowLength, copy, TLanes.Count, rows, columns);
        return ref copy[0];
    }

    /// <summary>The groups in a vector's columns of a strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static StandardizedGroup<TLanes> GroupsAt<TLanes>(Span<float> means, Span<float> variances, int lane, float epsilon)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
        new(TLanes.Load(in means[lane], 0), TLanes.Load(in variances[lane], 0), epsilon);

    /// <summary>The strip's numbers from an array with one for each column; past its end, and where there is no array, another.</summary>
    private static void ReadStrip(float[]? source, int start, int columns, float absent, Span<float> strip)
    {
        strip.Fill(absent);
        source?.AsSpan(start, columns).CopyTo(strip);
    }

    /// <summary>The sums of a strip of columns.</summary>
    private readonly struct StripSums(float[] x, int first, int step, int rows, int columns, float[] sums) : ILoopBody
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripWidth;
            Span<float> totals = stackalloc float[StripWidth];
            for (int lane = 0; lane < StripWidth; lane += TLanes.Count)
            {
                TLanes.Store(Total<TLanes>(first + column + lane), ref totals[lane], 0);
            }

            totals[..Math.Min(StripWidth, columns - column)].CopyTo(sums.AsSpan(column));
        }

        private TLanes Total<TLanes>(int place)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
            SumDeviationsDown<TLanes>(ref x[place], (nuint)step, rows, 0f, isSquared: false);
    }

    /// <summary>Means and variances of a strip of groups.</summary>
    private readonly struct StripStatistics(NormalizationShape shape, float[] x, float[] statistics) : ILoopBody
    {
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripWidth;
            int columns = Math.Min(StripWidth, shape.Groups - column);
            Span<float> means = stackalloc float[StripWidth];
            Span<float> variances = stackalloc float[StripWidth];
            means.Clear();
            if (shape.IsCentred)
            {
                Means<TLanes>(column, columns, means, isSquared: false, variances);
                variances.CopyTo(means);
            }

            Means<TLanes>(column, columns, means, isSquared: true, variances);
            means[..columns].CopyTo(statistics.AsSpan(column));
            variances[..columns].CopyTo(statistics.AsSpan(shape.Groups + column));
        }

        /// <summary>The means of deviations from a number for each column, or of their squares.</summary>
        [SkipLocalsInit]
        private void Means<TLanes>(int column, int columns, Span<float> around, bool isSquared, Span<float> sums)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        {
            Span<float> copy = stackalloc float[PaddedLength];
            sums.Clear();
            for (int row = 0; row < shape.Outer; row += RowBlock)
            {
                int rows = Math.Min(RowBlock, shape.Outer - row);
                for (int lane = 0; lane < columns; lane += TLanes.Count)
                {
                    int place = (row * shape.Groups) + column + lane;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    TLanes sum = SumDeviationsDown(ref block, step, rows, TLanes.Load(in around[lane], 0), isSquared);
                    TLanes.Store(TLanes.Load(in sums[lane], 0) + sum, ref sums[lane], 0);
                }
            }

            foreach (ref float sum in sums)
            {
                sum /= shape.Outer;
            }
        }
    }

    /// <summary>The outputs of a strip of groups.</summary>
    private readonly struct StripForward(
        NormalizationShape shape, float[] x, float[] statistics, float[]? weight, float[]? bias, float[] y) : ILoopBody
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripWidth;
            int columns = Math.Min(StripWidth, shape.Groups - column);
            Span<float> means = stackalloc float[StripWidth];
            Span<float> variances = stackalloc float[StripWidth];
            Span<float> factors = stackalloc float[StripWidth];
            Span<float> shifts = stackalloc float[StripWidth];
            Span<float> copy = stackalloc float[PaddedLength];
            ReadStrip(statistics, column, columns, 0f, means);
            ReadStrip(statistics, shape.Groups + column, columns, 1f, variances);
            ReadStrip(weight, column, columns, 1f, factors);
            ReadStrip(bias, column, columns, -0f, shifts);
            for (int row = 0; row < shape.Outer; row += RowBlock)
            {
                int rows = Math.Min(RowBlock, shape.Outer - row);
                for (int lane = 0; lane < columns; lane += TLanes.Count)
                {
                    StandardizedGroup<TLanes> groups = GroupsAt<TLanes>(means, variances, lane, shape.Epsilon);
                    TLanes factor = TLanes.Load(in factors[lane], 0);
                    TLanes shift = TLanes.Load(in shifts[lane], 0);
                    int place = (row * shape.Groups) + column + lane;
                    bool isWhole = columns - lane >= TLanes.Count;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float target = ref isWhole ? ref y[place] : ref copy[0];
                    WriteDown(groups, ref block, factor, shift, step, rows, ref target);
                    if (!isWhole)
                    {
                        Copy(copy, TLanes.Count, y.AsSpan(place), shape.Groups, rows, columns - lane);
                    }
                }
            }
        }
    }

    /// <summary>The gradients of a strip of groups, and of their weights and biases.</summary>
    private readonly struct StripBackward(
        NormalizationShape shape,
        float[] x,
        float[] statistics,
        float[]? weight,
        float[] gradient,
        float[]? result,
        float[]? weightGradient,
        float[]? biasGradient) : ILoopBody
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            int column = strip * StripWidth;
            int columns = Math.Min(StripWidth, shape.Groups - column);
            Span<float> means = stackalloc float[StripWidth];
            Span<float> variances = stackalloc float[StripWidth];
            Span<float> factors = stackalloc float[StripWidth];
            Span<float> gradients = stackalloc float[StripWidth];
            Span<float> products = stackalloc float[StripWidth];
            Span<float> copy = stackalloc float[PaddedLength];
            Span<float> gradientCopy = stackalloc float[PaddedLength];
            ReadStrip(statistics, column, columns, 0f, means);
            ReadStrip(statistics, shape.Groups + column, columns, 1f, variances);
            ReadStrip(weight, column, columns, 1f, factors);
            gradients.Clear();
            products.Clear();
            for (int row = 0; row < shape.Outer; row += RowBlock)
            {
                int rows = Math.Min(RowBlock, shape.Outer - row);
                for (int lane = 0; lane < columns; lane += TLanes.Count)
                {
                    StandardizedGroup<TLanes> groups = GroupsAt<TLanes>(means, variances, lane, shape.Epsilon);
                    int place = (row * shape.Groups) + column + lane;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float g = ref Columns<TLanes>(gradient, place, shape.Groups, rows, columns - lane, gradientCopy, out _);
                    SumGradientsDown(groups, ref block, ref g, step, rows, ref gradients[lane], ref products[lane]);
                }
            }

            for (int row = 0; row < shape.Outer && result is not null; row += RowBlock)
            {
                int rows = Math.Min(RowBlock, shape.Outer - row);
                for (int lane = 0; lane < columns; lane += TLanes.Count)
                {
                    StandardizedGroup<TLanes> groups = GroupsAt<TLanes>(means, variances, lane, shape.Epsilon);
                    TLanes factor = TLanes.Load(in factors[lane], 0);
                    TLanes share = 1f / shape.Outer * factor;
                    TLanes meanGradient = shape.IsCentred ? share * TLanes.Load(in gradients[lane], 0) : (TLanes)0f;
                    TLanes meanProduct = share * TLanes.Load(in products[lane], 0);
                    int place = (row * shape.Groups) + column + lane;
                    bool isWhole = columns - lane >= TLanes.Count;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float g = ref Columns<TLanes>(gradient, place, shape.Groups, rows, columns - lane, gradientCopy, out _);
                    ref float target = ref isWhole ? ref result[place] : ref copy[0];
                    WriteGradientDown(groups, ref block, ref g, factor, meanGradient, meanProduct, step, rows, ref target);
                    if (!isWhole)
                    {
                        Copy(copy, TLanes.Count, result.AsSpan(place), shape.Groups, rows, columns - lane);
                    }
                }
            }

            if (weightGradient is not null)
            {
                products[..columns].CopyTo(weightGradient.AsSpan(column));
            }

            if (biasGradient is not null)
            {
                gradients[..columns].CopyTo(biasGradient.AsSpan(column));
            }
        }
    }
}
