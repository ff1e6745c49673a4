using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Layer, batch and root-mean-square normalisation. A group whose numbers lie in runs (a row, a channel of a sequence) is
/// one item: its runs are walked for the mean, for the variance and for the output, the last two times from the nearest
/// cache. Where a group's numbers lie a row apart, <see cref="NormalizationColumns"/> walks neighbouring groups together.
/// </summary>
/// <remarks>
/// Sums are cut by the shape alone, rows into blocks and, for its statistics, a run into blocks, and the blocks' sums are added
/// from first to last. So the bits do not depend on the number of threads. What fills no vector is computed after the loop,
/// which so stays free of branches.
/// </remarks>
internal static class NormalizationLoops
{
    /// <summary>How many numbers of a run make one partial sum of its statistics.</summary>
    public const int RunBlock = 4096;

    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 2;

    [ThreadStatic]
    private static float[]? weightSums;

    /// <summary>Means and variances of the groups.</summary>
    public static void Statistics(Workers workers, in NormalizationShape shape, float[] x, float[] statistics)
    {
        if (IsInLanes(shape))
        {
            NormalizationColumns.Statistics(workers, shape, x, statistics);
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
            NormalizationColumns.Forward(workers, shape, x, statistics, weight, bias, y);
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
            NormalizationColumns.Backward(workers, shape, x, statistics, weight, gradient, result, weightGradient, biasGradient);
            return;
        }

        RunBackward runs = new(shape, x, statistics, weight, gradient, result, weightGradient, biasGradient);
        if (shape.IsWeightPerGroup || (weightGradient ?? biasGradient) is null)
        {
            workers.For(shape.Groups, WorkPerElement * shape.GroupLength, runs);
            return;
        }

        int blocks = NormalizationColumns.BlocksOf(shape.Groups);
        int width = NormalizationColumns.StripsOf(shape.Inner) * NormalizationColumns.StripWidth;
        if (weightSums is null || weightSums.Length < 2 * blocks * width)
        {
            weightSums = GC.AllocateUninitializedArray<float>(2 * blocks * width);
        }

        workers.For(blocks, 2 * WorkPerElement * NormalizationColumns.RowBlock * shape.Inner, new RowsBackward(runs, width, weightSums));
        NormalizationColumns.Sum(workers, weightSums, 0, 2 * width, blocks, shape.Inner, weightGradient);
        NormalizationColumns.Sum(workers, weightSums, width, 2 * width, blocks, shape.Inner, biasGradient);
    }

    private static bool IsInLanes(in NormalizationShape shape) => shape.IsWeightPerGroup && shape.Inner == 1;

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

    /// <summary>A deviation or its square.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Term<TLanes>(TLanes deviation, bool isSquared)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes> => isSquared ? deviation * deviation : deviation;

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
            for (int row = block * NormalizationColumns.RowBlock; row < Math.Min((block + 1) * NormalizationColumns.RowBlock, runs.Shape.Groups); row++)
            {
                StandardizedGroup<TLanes> standardized = runs.Standardized<TLanes>(row);
                runs.Run(row, standardized);
                runs.AddWeightGradients(row, standardized, products, gradients);
            }
        }
    }
}
