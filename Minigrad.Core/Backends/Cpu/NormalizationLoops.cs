using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Layer, batch and root-mean-square normalisation. A group whose numbers lie in runs (a row, a channel of a sequence) is
/// one item: its runs are walked for the mean, for the variance and for the output, the last two times from the nearest
/// cache. Where a group's numbers lie a row apart (the channels of <c>[batch, channels]</c>), neighbouring groups are
/// walked together, a group in each lane.
/// </summary>
/// <remarks>
/// Sums are cut by the shape alone, runs into blocks and rows into blocks, and the blocks' sums are added from first to
/// last. So the error grows with the root of the work, and the bits do not depend on the number of threads. What fills no
/// vector is never inside of a loop: a partial read or write takes its vector by reference and keeps it out of registers.
/// A run's end is computed after the loop, and columns that fill no vector are walked in a padded copy.
/// </remarks>
internal static class NormalizationLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>How many numbers of a run make one partial sum.</summary>
    private const int RunBlock = 4096;

    /// <summary>How many rows make one partial sum where groups lie in lanes, or where rows share their weights.</summary>
    private const int RowBlock = 32;

    /// <summary>How many neighbouring columns are one item: whole vectors of any width, and whole lines of the cache.</summary>
    private const int StripWidth = 32;

    /// <summary>Room for the rows of a block in one vector's columns, of any width.</summary>
    private const int PaddedLength = RowBlock * 16;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 2;

    [ThreadStatic]
    private static float[]? weightSums;

    /// <summary>Means and variances of the groups.</summary>
    public static void Statistics(Workers workers, in NormalizationShape shape, float[] x, float[] statistics)
    {
        if (IsInLanes(shape))
        {
            workers.For(Blocks(shape.Groups, StripWidth), WorkPerStrip(shape.Outer), new StripStatistics(shape, x, statistics));
        }
        else
        {
            workers.For(shape.Groups, WorkPerElement * shape.GroupLength, new RunStatistics(shape, x, statistics));
        }
    }

    /// <summary>y = x̂ · weight + bias.</summary>
    public static void Forward(
        Workers workers, in NormalizationShape shape, float[] x, float[] statistics, float[]? weight, float[]? bias, float[] y)
    {
        if (shape.GroupLength * shape.Groups == 0)
        {
            return;
        }

        if (IsInLanes(shape))
        {
            StripForward strips = new(shape, x, statistics, weight, bias, y);
            workers.For(Blocks(shape.Groups, StripWidth), WorkPerStrip(shape.Outer), strips);
        }
        else
        {
            workers.For(shape.Groups, WorkPerElement * shape.GroupLength, new RunForward(shape, x, statistics, weight, bias, y));
        }
    }

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
        if (shape.GroupLength * shape.Groups == 0)
        {
            weightGradient?.AsSpan().Clear();
            biasGradient?.AsSpan().Clear();
            return;
        }

        if (IsInLanes(shape))
        {
            StripBackward strips = new(shape, x, statistics, weight, gradient, result, weightGradient, biasGradient);
            workers.For(Blocks(shape.Groups, StripWidth), WorkPerStrip(shape.Outer), strips);
            return;
        }

        RunBackward runs = new(shape, x, statistics, weight, gradient, result, weightGradient, biasGradient);
        if (shape.IsWeightPerGroup || (weightGradient ?? biasGradient) is null)
        {
            workers.For(shape.Groups, WorkPerElement * shape.GroupLength, runs);
            return;
        }

        int blocks = Blocks(shape.Groups, RowBlock);
        int columnStrips = Blocks(shape.Inner, StripWidth);
        int width = columnStrips * StripWidth;
        if (weightSums is null || weightSums.Length < 2 * blocks * width)
        {
            weightSums = GC.AllocateUninitializedArray<float>(2 * blocks * width);
        }

        workers.For(blocks, 2 * WorkPerElement * RowBlock * shape.Inner, new RowsBackward(runs, width, weightSums));
        workers.For(columnStrips, WorkPerStrip(blocks), new WeightSums(shape.Inner, blocks, width, weightSums, weightGradient, biasGradient));
    }

    private static bool IsInLanes(in NormalizationShape shape) => shape.IsWeightPerGroup && shape.Inner == 1;

    private static int Blocks(int length, int size) => (length + size - 1) / size;

    private static int WorkPerStrip(int rows) => (int)Math.Min(int.MaxValue, (long)WorkPerElement * rows * StripWidth);

    private static StandardizedGroup<TLanes> GroupLanes<TLanes>(in NormalizationShape shape, float[] statistics, int group)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
        new(statistics[group], statistics[shape.Groups + group], shape.Epsilon);

    /// <summary>Σ (x − mean) or Σ (x − mean)² of a run.</summary>
    [MethodImpl(Loop)]
    private static float SumDeviations<TLanes>(ref float x, nuint length, float mean, bool isSquared)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        TLanes subtrahend = mean;
        TLanes even = 0f;
        TLanes odd = 0f;
        nuint i = 0;
        for (; i + (2 * width) <= length; i += 2 * width)
        {
            even += Term(TLanes.Load(in x, i) - subtrahend, isSquared);
            odd += Term(TLanes.Load(in x, i + width) - subtrahend, isSquared);
        }

        TLanes sum = even + odd;
        if (i + width <= length)
        {
            sum += Term(TLanes.Load(in x, i) - subtrahend, isSquared);
            i += width;
        }

        // The padding is the mean, whose term is 0.
        return i == length
            ? TLanes.Sum(sum)
            : TLanes.Sum(sum + Term(Lanes.Read<TLanes>(in x, i, length, mean) - subtrahend, isSquared));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Term<TLanes>(TLanes x, bool isSquared)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => isSquared ? x * x : x;

    /// <summary>y = x̂ · weight + bias of a run. Weight and bias have a step of 1, or of 0 where one vector holds for all.</summary>
    [MethodImpl(Loop)]
    private static void Write<TLanes>(
        StandardizedGroup<TLanes> group, ref float x, ref float weight, nuint weightStep, ref float bias, nuint biasStep, nuint length, ref float y)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes value = group.Output(TLanes.Load(in x, i), TLanes.Load(in weight, i * weightStep), TLanes.Load(in bias, i * biasStep));
            TLanes.Store(value, ref y, i);
        }

        if (whole < length)
        {
            TLanes factor = ReadStepped<TLanes>(in weight, weightStep, whole, length);
            TLanes shift = ReadStepped<TLanes>(in bias, biasStep, whole, length);
            Lanes.Write(group.Output(Lanes.Read<TLanes>(in x, whole, length, 0f), factor, shift), ref y, whole, length);
        }
    }

    /// <summary>Σ h and Σ h · x̂ of a run, with h = g · weight.</summary>
    [MethodImpl(Loop)]
    private static (float Gradients, float Products) SumGradients<TLanes>(
        StandardizedGroup<TLanes> group, ref float x, ref float gradient, ref float weight, nuint weightStep, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        TLanes gradients = 0f;
        TLanes products = 0f;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes h = TLanes.Load(in gradient, i) * TLanes.Load(in weight, i * weightStep);
            gradients += h;
            products += h * group.Value(TLanes.Load(in x, i));
        }

        if (whole == length)
        {
            return (TLanes.Sum(gradients), TLanes.Sum(products));
        }

        TLanes last = Lanes.Read<TLanes>(in gradient, whole, length, 0f) * ReadStepped<TLanes>(in weight, weightStep, whole, length);
        TLanes lastProduct = last * group.Value(Lanes.Read<TLanes>(in x, whole, length, 0f));
        return (TLanes.Sum(gradients + last), TLanes.Sum(products + lastProduct));
    }

    /// <summary>The gradient of a run of inputs.</summary>
    [MethodImpl(Loop)]
    private static void WriteGradient<TLanes>(
        StandardizedGroup<TLanes> group,
        ref float x,
        ref float gradient,
        ref float weight,
        nuint weightStep,
        float meanGradient,
        float meanProduct,
        nuint length,
        ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        TLanes first = meanGradient;
        TLanes second = meanProduct;
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes h = TLanes.Load(in gradient, i) * TLanes.Load(in weight, i * weightStep);
            TLanes.Store(group.InputGradient(TLanes.Load(in x, i), h, first, second), ref result, i);
        }

        if (whole < length)
        {
            TLanes h = Lanes.Read<TLanes>(in gradient, whole, length, 0f) * ReadStepped<TLanes>(in weight, weightStep, whole, length);
            Lanes.Write(group.InputGradient(Lanes.Read<TLanes>(in x, whole, length, 0f), h, first, second), ref result, whole, length);
        }
    }

    /// <summary>g and g · x̂ of one row, which is a group, added to sums for each column, for which there is room up to whole vectors.</summary>
    [MethodImpl(Loop)]
    private static void AddGradientsOfRow<TLanes>(
        StandardizedGroup<TLanes> group, ref float x, ref float gradient, nuint length, ref float gradientSums, ref float productSums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        for (nuint i = 0; i < whole; i += width)
        {
            TLanes g = TLanes.Load(in gradient, i);
            TLanes.Store(TLanes.Load(in gradientSums, i) + g, ref gradientSums, i);
            TLanes.Store(TLanes.Load(in productSums, i) + (g * group.Value(TLanes.Load(in x, i))), ref productSums, i);
        }

        if (whole < length)
        {
            TLanes g = Lanes.Read<TLanes>(in gradient, whole, length, 0f);
            TLanes product = g * group.Value(Lanes.Read<TLanes>(in x, whole, length, 0f));
            TLanes.Store(TLanes.Load(in gradientSums, whole) + g, ref gradientSums, whole);
            TLanes.Store(TLanes.Load(in productSums, whole) + product, ref productSums, whole);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes ReadStepped<TLanes>(ref readonly float source, nuint step, nuint i, nuint length)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> =>
        step == 0 ? TLanes.Load(in source, 0) : Lanes.Read<TLanes>(in source, i, length, 0f);

    /// <summary>Where the weights of a group's runs are: as they lie, or one of them (or a number) in every lane of a vector.</summary>
    private static ref float Weights<TLanes>(
        in NormalizationShape shape, float[]? weights, int group, float absent, Span<float> vector, out nuint step)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        if (weights is not null && !shape.IsWeightPerGroup)
        {
            step = 1;
            return ref weights[0];
        }

        step = 0;
        vector.Fill(weights is null ? absent : weights[group]);
        return ref vector[0];
    }

    /// <summary>Means and variances of one group that lies in runs.</summary>
    private readonly struct RunStatistics(NormalizationShape shape, float[] x, float[] statistics) : ILoopBody
    {
        public void Run<TLanes>(int group)
            where TLanes : struct, ILanes<TLanes>
        {
            float mean = shape.IsCentred ? Mean<TLanes>(group, 0f, isSquared: false) : 0f;
            statistics[group] = mean;
            statistics[shape.Groups + group] = Mean<TLanes>(group, mean, isSquared: true);
        }

        private float Mean<TLanes>(int group, float around, bool isSquared)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        {
            double sum = 0;
            for (int outer = 0; outer < shape.Outer; outer++)
            {
                int run = ((outer * shape.Groups) + group) * shape.Inner;
                for (int start = 0; start < shape.Inner; start += RunBlock)
                {
                    int length = Math.Min(RunBlock, shape.Inner - start);
                    sum += SumDeviations<TLanes>(ref x[run + start], (nuint)length, around, isSquared);
                }
            }

            return (float)(sum / shape.GroupLength);
        }
    }

    /// <summary>The outputs of one group that lies in runs.</summary>
    private readonly struct RunForward(
        NormalizationShape shape, float[] x, float[] statistics, float[]? weight, float[]? bias, float[] y) : ILoopBody
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int group)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> vectors = stackalloc float[2 * TLanes.Count];

            // −0 is what may be added without changing −0.
            ref float factors = ref Weights<TLanes>(shape, weight, group, 1f, vectors[..TLanes.Count], out nuint factorStep);
            ref float shifts = ref Weights<TLanes>(shape, bias, group, -0f, vectors[TLanes.Count..], out nuint shiftStep);
            StandardizedGroup<TLanes> standardized = GroupLanes<TLanes>(shape, statistics, group);
            for (int outer = 0; outer < shape.Outer; outer++)
            {
                int run = ((outer * shape.Groups) + group) * shape.Inner;
                Write(standardized, ref x[run], ref factors, factorStep, ref shifts, shiftStep, (nuint)shape.Inner, ref y[run]);
            }
        }
    }

    /// <summary>The gradients of one group that lies in runs; of its weight and bias too where they are the group's own.</summary>
    private readonly struct RunBackward(
        NormalizationShape shape,
        float[] x,
        float[] statistics,
        float[]? weight,
        float[] gradient,
        float[]? result,
        float[]? weightGradient,
        float[]? biasGradient) : ILoopBody
    {
        public NormalizationShape Shape => shape;

        public void Run<TLanes>(int group)
            where TLanes : struct, ILanes<TLanes> => Run(group, Standardized<TLanes>(group));

        /// <summary>Adds a row's part of the gradients of the weights and biases that all rows share.</summary>
        public void AddWeightGradients<TLanes>(int row, StandardizedGroup<TLanes> standardized, Span<float> products, Span<float> gradients)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        {
            int place = row * shape.Inner;
            AddGradientsOfRow(standardized, ref x[place], ref gradient[place], (nuint)shape.Inner, ref gradients[0], ref products[0]);
        }

        public StandardizedGroup<TLanes> Standardized<TLanes>(int group)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => GroupLanes<TLanes>(shape, statistics, group);

        [SkipLocalsInit]
        public void Run<TLanes>(int group, StandardizedGroup<TLanes> standardized)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        {
            if (result is null && !shape.IsWeightPerGroup)
            {
                return;
            }

            // Sums of a group's own gradients leave its weight out, which then multiplies the means.
            Span<float> vectors = stackalloc float[2 * TLanes.Count];
            ref float factors = ref Weights<TLanes>(shape, weight, group, 1f, vectors[..TLanes.Count], out nuint factorStep);
            ref float summed = ref Weights<TLanes>(
                shape, shape.IsWeightPerGroup ? null : weight, group, 1f, vectors[TLanes.Count..], out nuint summedStep);
            double gradients = 0;
            double products = 0;
            for (int outer = 0; outer < shape.Outer; outer++)
            {
                int run = ((outer * shape.Groups) + group) * shape.Inner;
                (float sum, float product) = SumGradients(
                    standardized, ref x[run], ref gradient[run], ref summed, summedStep, (nuint)shape.Inner);
                gradients += sum;
                products += product;
            }

            double factor = 1;
            if (shape.IsWeightPerGroup)
            {
                factor = weight is null ? 1 : weight[group];
                weightGradient?[group] = (float)products;
                biasGradient?[group] = (float)gradients;
            }

            float meanGradient = shape.IsCentred ? (float)(factor * gradients / shape.GroupLength) : 0f;
            float meanProduct = (float)(factor * products / shape.GroupLength);
            for (int outer = 0; outer < shape.Outer && result is not null; outer++)
            {
                int run = ((outer * shape.Groups) + group) * shape.Inner;
                WriteGradient(
                    standardized, ref x[run], ref gradient[run], ref factors, factorStep, meanGradient, meanProduct, (nuint)shape.Inner, ref result[run]);
            }
        }
    }

    /// <summary>The gradients of a block of rows, and its part of those of the weights and biases that all rows share.</summary>
    private readonly struct RowsBackward(RunBackward runs, int width, float[] sums) : ILoopBody
    {
        public void Run<TLanes>(int block)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> products = sums.AsSpan(2 * block * width, width);
            Span<float> gradients = sums.AsSpan(((2 * block) + 1) * width, width);
            products.Clear();
            gradients.Clear();
            for (int row = block * RowBlock; row < Math.Min((block + 1) * RowBlock, runs.Shape.Groups); row++)
            {
                StandardizedGroup<TLanes> standardized = runs.Standardized<TLanes>(row);
                runs.Run(row, standardized);
                runs.AddWeightGradients(row, standardized, products, gradients);
            }
        }
    }

    /// <summary>The gradients of a strip of weights and biases: the sums of all blocks of rows.</summary>
    private readonly struct WeightSums(
        int columns, int blocks, int width, float[] sums, float[]? weightGradient, float[]? biasGradient) : ILoopBody
    {
        public void Run<TLanes>(int strip)
            where TLanes : struct, ILanes<TLanes>
        {
            Add<TLanes>(strip * StripWidth, 0, weightGradient);
            Add<TLanes>(strip * StripWidth, width, biasGradient);
        }

        private void Add<TLanes>(int column, int first, float[]? target)
            where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        {
            if (target is null)
            {
                return;
            }

            Span<float> totals = stackalloc float[StripWidth];
            for (int lane = 0; lane < StripWidth; lane += TLanes.Count)
            {
                TLanes total = SumDeviationsDown<TLanes>(ref sums[first + column + lane], (nuint)(2 * width), blocks, 0f, isSquared: false);
                TLanes.Store(total, ref totals[lane], 0);
            }

            int count = Math.Min(StripWidth, columns - column);
            totals[..count].CopyTo(target.AsSpan(column));
        }
    }

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
            even += Term(TLanes.Load(in x, place) - mean, isSquared);
            odd += Term(TLanes.Load(in x, place + step) - mean, isSquared);
            place += 2 * step;
        }

        return row < rows ? even + odd + Term(TLanes.Load(in x, place) - mean, isSquared) : even + odd;
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
        CopyColumns(matrix.AsSpan(place), rowLength, copy, TLanes.Count, rows, columns);
        return ref copy[0];
    }

    private static void CopyColumns(ReadOnlySpan<float> source, int step, Span<float> target, int targetStep, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            source.Slice(row * step, columns).CopyTo(target[(row * targetStep)..]);
        }
    }

    /// <summary>The strip's numbers from an array with one for each column; past its end, and where there is no array, another.</summary>
    private static void ReadStrip(float[]? source, int start, int columns, float absent, Span<float> strip)
    {
        strip.Fill(absent);
        source?.AsSpan(start, columns).CopyTo(strip);
    }

    /// <summary>Means and variances of a strip of groups that lie in lanes.</summary>
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

    /// <summary>The outputs of a strip of groups that lie in lanes.</summary>
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
            for (int lane = 0; lane < columns; lane += TLanes.Count)
            {
                StandardizedGroup<TLanes> groups = new(TLanes.Load(in means[lane], 0), TLanes.Load(in variances[lane], 0), shape.Epsilon);
                TLanes factor = TLanes.Load(in factors[lane], 0);
                TLanes shift = TLanes.Load(in shifts[lane], 0);
                for (int row = 0; row < shape.Outer; row += RowBlock)
                {
                    int rows = Math.Min(RowBlock, shape.Outer - row);
                    int place = (row * shape.Groups) + column + lane;
                    bool isWhole = columns - lane >= TLanes.Count;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float target = ref isWhole ? ref y[place] : ref copy[0];
                    WriteDown(groups, ref block, factor, shift, step, rows, ref target);
                    if (!isWhole)
                    {
                        CopyColumns(copy, TLanes.Count, y.AsSpan(place), shape.Groups, rows, columns - lane);
                    }
                }
            }
        }
    }

    /// <summary>The gradients of a strip of groups that lie in lanes, and of their weights and biases.</summary>
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
            for (int lane = 0; lane < columns; lane += TLanes.Count)
            {
                StandardizedGroup<TLanes> groups = new(TLanes.Load(in means[lane], 0), TLanes.Load(in variances[lane], 0), shape.Epsilon);
                for (int row = 0; row < shape.Outer; row += RowBlock)
                {
                    int rows = Math.Min(RowBlock, shape.Outer - row);
                    int place = (row * shape.Groups) + column + lane;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float g = ref Columns<TLanes>(gradient, place, shape.Groups, rows, columns - lane, gradientCopy, out _);
                    SumGradientsDown(groups, ref block, ref g, step, rows, ref gradients[lane], ref products[lane]);
                }

                TLanes factor = TLanes.Load(in factors[lane], 0);
                TLanes share = 1f / shape.Outer * factor;
                TLanes meanGradient = shape.IsCentred ? share * TLanes.Load(in gradients[lane], 0) : (TLanes)0f;
                TLanes meanProduct = share * TLanes.Load(in products[lane], 0);
                for (int row = 0; row < shape.Outer && result is not null; row += RowBlock)
                {
                    int rows = Math.Min(RowBlock, shape.Outer - row);
                    int place = (row * shape.Groups) + column + lane;
                    bool isWhole = columns - lane >= TLanes.Count;
                    ref float block = ref Columns<TLanes>(x, place, shape.Groups, rows, columns - lane, copy, out nuint step);
                    ref float g = ref Columns<TLanes>(gradient, place, shape.Groups, rows, columns - lane, gradientCopy, out _);
                    ref float target = ref isWhole ? ref result[place] : ref copy[0];
                    WriteGradientDown(groups, ref block, ref g, factor, meanGradient, meanProduct, step, rows, ref target);
                    if (!isWhole)
                    {
                        CopyColumns(copy, TLanes.Count, result.AsSpan(place), shape.Groups, rows, columns - lane);
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
