using System.Runtime.CompilerServices;
using Minigrad.Numerics;
using Minigrad.Operations;

namespace Minigrad.Backends.Cpu;

/// <summary>Cross-entropy of the softmax of rows with class labels, and its gradient, without the softmax in memory.</summary>
internal static class CrossEntropyLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>An element costs about as much as this many elements of a plain copy.</summary>
    private const int WorkPerElement = 4;

    /// <summary>The loss of each row, and what normalises it.</summary>
    public static void Forward(
        Workers workers, float[] x, ClassTargets targets, int columns, float[] normalizers, float[] losses) =>
        workers.For(
            targets.Labels.Count,
            WorkPerElement * columns,
            new ForwardBody(x, targets, Weights(targets), columns, normalizers, losses));

    /// <summary>The gradient of the logits from that of the losses, which is one for each row or one for all.</summary>
    public static void Backward(
        Workers workers,
        float[] x,
        float[] normalizers,
        ClassTargets targets,
        int columns,
        Storage gradient,
        float divisor,
        float[] result) =>
        workers.For(
            targets.Labels.Count,
            WorkPerElement * columns,
            new BackwardBody(
                x,
                normalizers,
                targets,
                Weights(targets),
                columns,
                ((CpuStorage)gradient).Array,
                gradient.Length == 1 ? 0 : 1,
                divisor,
                result));

    private static float[]? Weights(in ClassTargets targets) => ((CpuStorage?)targets.Weights)?.Array;

    /// <summary>The parts of a row's target: at its label, and, before weighting, at each class.</summary>
    private static (float Label, float Class) Shares(in ClassTargets targets, float[]? weights, int row)
    {
        int label = targets.Labels[row];
        return label < 0 ? (0f, 0f) : (targets.LabelShare * (weights?[label] ?? 1f), targets.ClassShare);
    }

    /// <summary>Σ w · (x − shift) over a row.</summary>
    [MethodImpl(Loop)]
    private static float WeightedSum<TLanes>(
        ref float x, ref float weights, bool hasWeights, nuint columns, float shift)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        TLanes sum = 0f;
        if (whole < columns)
        {
            // Lanes past the end are 0.
            TLanes last = Lanes.Read<TLanes>(in x, whole, columns, shift) - shift;
            sum = hasWeights ? Lanes.Read<TLanes>(in weights, whole, columns, 0f) * last : last;
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes shifted = TLanes.Load(in x, i) - shift;
            sum += hasWeights ? TLanes.Load(in weights, i) * shifted : shifted;
        }

        return TLanes.Sum(sum);
    }

    /// <summary>g · (Σ t · softmax(x) − t) over a row, with the part of t that is at every class.</summary>
    [MethodImpl(Loop)]
    private static void GradientRow<TLanes>(
        ref float x,
        ref float weights,
        bool hasWeights,
        nuint columns,
        NormalizedRow row,
        float gradient,
        float total,
        float classShare,
        ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
    {
        nuint width = (nuint)TLanes.Count;
        nuint whole = columns - (columns % width);
        if (whole < columns)
        {
            TLanes weight = hasWeights ? Lanes.Read<TLanes>(in weights, whole, columns, 0f) : 1f;
            TLanes slope = row.Slope(Lanes.Read<TLanes>(in x, whole, columns, 0f), classShare * weight, total, gradient);
            Lanes.Write(slope, ref result, whole, columns);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes weight = hasWeights ? TLanes.Load(in weights, i) : 1f;
            TLanes.Store(row.Slope(TLanes.Load(in x, i), classShare * weight, total, gradient), ref result, i);
        }
    }

    private readonly record struct ForwardBody(
        float[] X, ClassTargets Targets, float[]? Weights, int Columns, float[] Normalizers, float[] Losses) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = row * Columns;
            ref float x = ref X[start];
            (float shift, float logarithm) = SoftmaxLoops.Normalizer<TLanes>(ref x, (nuint)Columns);
            Normalizers[row] = shift;
            Normalizers[Targets.Labels.Count + row] = logarithm;

            // Choosing, not multiplying: what does not count must not turn an infinite logarithm into NaN.
            (float labelShare, float classShare) = Shares(Targets, Weights, row);
            float loss = labelShare == 0
                ? 0f
                : -labelShare * new NormalizedRow(shift, logarithm).LogProbability(new Scalar(X[start + Targets.Labels[row]])).Value;
            if (classShare != 0)
            {
                ref float weights = ref Weights is null ? ref x : ref Weights[0];
                float sum = WeightedSum<TLanes>(ref x, ref weights, Weights is not null, (nuint)Columns, shift);
                loss -= classShare * (sum - (Targets.TotalWeight * logarithm));
            }

            Losses[row] = loss;
        }
    }

    private readonly record struct BackwardBody(
        float[] X,
        float[] Normalizers,
        ClassTargets Targets,
        float[]? Weights,
        int Columns,
        float[] Gradient,
        int GradientStride,
        float Divisor,
        float[] Result) : ILoopBody
    {
        public void Run<TLanes>(int row)
            where TLanes : struct, ILanes<TLanes>
        {
            int start = row * Columns;
            (float labelShare, float classShare) = Shares(Targets, Weights, row);
            if (labelShare == 0 && classShare == 0)
            {
                Result.AsSpan(start, Columns).Clear();
                return;
            }

            ref float x = ref X[start];
            ref float weights = ref Weights is null ? ref x : ref Weights[0];
            NormalizedRow normalized = new(Normalizers[row], Normalizers[Targets.Labels.Count + row]);
            float gradient = Gradient[row * GradientStride] / Divisor;
            float total = labelShare + (classShare * Targets.TotalWeight);
            GradientRow<TLanes>(
                ref x,
                ref weights,
                Weights is not null,
                (nuint)Columns,
                normalized,
                gradient,
                total,
                classShare,
                ref Result[start]);

            // With its whole target at once, as probability and target nearly cancel where the model is right.
            int label = Targets.Labels[row];
            float target = labelShare + (classShare * (Weights?[label] ?? 1f));
            Result[start + label] = normalized.Slope(new Scalar(X[start + label]), new Scalar(target), total, gradient).Value;
        }
    }
}
