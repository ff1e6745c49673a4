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
        Workers workers, float[] x, ClassTargets targets, int columns, float[] normalizers, float[] losses)
    {
        Targeted matrix = new(x, columns, normalizers, targets, ((CpuStorage?)targets.Weights)?.Array);
        if (columns > RowInEachLane.MostColumns)
        {
            Run<LanesAlongRow, ForwardBody<LanesAlongRow>>(workers, matrix, new(matrix, losses));
        }
        else
        {
            Run<RowInEachLane, ForwardBody<RowInEachLane>>(workers, matrix, new(matrix, losses));
        }
    }

    /// <summary>The gradient of the logits from that of the losses, which is one for each row or one for all.</summary>
    public static void Backward(
        Workers workers,
        float[] x,
        float[] normalizers,
        ClassTargets targets,
        int columns,
        Storage gradient,
        float divisor,
        float[] result)
    {
        Targeted matrix = new(x, columns, normalizers, targets, ((CpuStorage?)targets.Weights)?.Array);
        LossGradient losses = new(((CpuStorage)gradient).Array, gradient.Length == 1 ? 0 : 1, divisor);
        if (columns > RowInEachLane.MostColumns)
        {
            Run<LanesAlongRow, BackwardBody<LanesAlongRow>>(workers, matrix, new(matrix, losses, result));
        }
        else
        {
            Run<RowInEachLane, BackwardBody<RowInEachLane>>(workers, matrix, new(matrix, losses, result));
        }
    }

    private static void Run<TRow, TBody>(Workers workers, in Targeted matrix, TBody body)
        where TRow : struct, IRowLanes
        where TBody : struct, ILoopBody =>
        workers.For((matrix.Rows + TRow.RowsOfItem - 1) / TRow.RowsOfItem, WorkPerElement * TRow.RowsOfItem * matrix.Columns, body);

    /// <summary>Σ w · (x − shift) of rows.</summary>
    [MethodImpl(Loop)]
    private static void WeightedSums<TLanes, TRow>(
        ref float x, ref float weights, bool hasWeights, nuint length, ReadOnlySpan<float> shifts, Span<float> sums)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        TLanes shift = TRow.FromRows<TLanes>(shifts);
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        TLanes sum = 0f;
        if (whole < length)
        {
            // Lanes past the end are 0, of weights or, where all are 1, after the shift.
            TLanes last = Lanes.Read<TLanes>(in x, whole, length, shifts[0]) - shift;
            sum = hasWeights ? Lanes.Read<TLanes>(in weights, whole, length, 0f) * last : last;
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes shifted = TLanes.Load(in x, i) - shift;
            sum += hasWeights ? TLanes.Load(in weights, i) * shifted : shifted;
        }

        TRow.ToRows(TRow.Sum(sum), sums);
    }

    /// <summary>
    /// g · (Σ t · softmax(x) − t) over rows, with the part of t that is at every class; and at the labels, with the whole target at once, as
    /// probability and target nearly cancel where the model is right.
    /// </summary>
    [MethodImpl(Loop)]
    private static void Slopes<TLanes, TRow>(
        ref float x,
        ref float weights,
        bool hasWeights,
        nuint length,
        float classShare,
        in RowTargets rows,
        Span<float> atLabels,
        ref float result)
        where TLanes : struct, ILanes<TLanes>, IReal<TLanes>
        where TRow : struct, IRowLanes
    {
        NormalizedRow<TLanes> row = new(TRow.FromRows<TLanes>(rows.Shifts), TRow.FromRows<TLanes>(rows.Logarithms));
        TLanes total = TRow.FromRows<TLanes>(rows.Totals);
        TLanes gradient = TRow.FromRows<TLanes>(rows.Gradients);
        TRow.ToRows(row.Slope(TRow.FromRows<TLanes>(rows.Logits), TRow.FromRows<TLanes>(rows.Targets), total, gradient), atLabels);
        nuint width = (nuint)TLanes.Count;
        nuint whole = length - (length % width);
        if (whole < length)
        {
            TLanes weight = hasWeights ? Lanes.Read<TLanes>(in weights, whole, length, 0f) : 1f;
            Lanes.Write(row.Slope(Lanes.Read<TLanes>(in x, whole, length, 0f), classShare * weight, total, gradient), ref result, whole, length);
        }

        for (nuint i = 0; i < whole; i += width)
        {
            TLanes weight = hasWeights ? TLanes.Load(in weights, i) : 1f;
            TLanes.Store(row.Slope(TLanes.Load(in x, i), classShare * weight, total, gradient), ref result, i);
        }
    }

    /// <summary>A number of each of some rows: what normalises them, the logit and the target at the label, the whole target, and the gradient of the loss.</summary>
    private readonly ref struct RowTargets(Span<float> shifts, Span<float> logarithms, Span<float> numbers, int rows)
    {
        public readonly Span<float> Shifts = shifts;
        public readonly Span<float> Logarithms = logarithms;
        public readonly Span<float> Logits = numbers[..rows];
        public readonly Span<float> Targets = numbers.Slice(rows, rows);
        public readonly Span<float> Totals = numbers.Slice(2 * rows, rows);
        public readonly Span<float> Gradients = numbers.Slice(3 * rows, rows);
    }

    /// <summary>Logits, what normalises them, and their targets.</summary>
    private readonly record struct Targeted(float[] X, int Columns, float[] Normalizers, ClassTargets Targets, float[]? Weights)
    {
        public int Rows => Targets.Labels.Count;

        public Span<float> Shifts(int row, int rows) => Normalizers.AsSpan(row, rows);

        public Span<float> Logarithms(int row, int rows) => Normalizers.AsSpan(Rows + row, rows);

        /// <summary>How much of a row's target is at its label, besides what each class has.</summary>
        public float LabelShare(int label) => Targets.LabelShare * (Weights is null ? 1f : Weights[label]);

        /// <summary>How much the class at a row's label has of its target as every class has, weighted.</summary>
        public float ClassShare(int label) => Targets.ClassShare * (Weights is null ? 1f : Weights[label]);
    }

    /// <summary>The gradient of the losses: one for each row, or with stride 0 one for all, and what it is divided by.</summary>
    private readonly record struct LossGradient(float[] Numbers, int Stride, float Divisor);

    private readonly struct ForwardBody<TRow>(Targeted matrix, float[] losses) : ILoopBody
        where TRow : struct, IRowLanes
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> room = stackalloc float[TRow.RoomLength];
            Span<float> weightRoom = stackalloc float[TRow.RoomLength];
            nuint length = TRow.Length<TLanes>(matrix.Columns);
            int end = Math.Min(matrix.Rows, (item + 1) * TRow.RowsOfItem);
            for (int row = item * TRow.RowsOfItem, rows; row < end; row += rows)
            {
                rows = Math.Min(TRow.RowsAtOnce<TLanes>(), end - row);
                ref float x = ref TRow.Read<TLanes>(matrix.X, row, rows, matrix.Columns, room);
                Span<float> shifts = matrix.Shifts(row, rows);
                SoftmaxLoops.Normalize<TLanes, TRow>(ref x, length, shifts, matrix.Logarithms(row, rows));
                if (matrix.Targets.ClassShare != 0)
                {
                    bool hasWeights = matrix.Weights is not null;
                    ref float weights = ref hasWeights ? ref TRow.ForColumns<TLanes>(matrix.Weights!, matrix.Columns, weightRoom) : ref x;
                    WeightedSums<TLanes, TRow>(ref x, ref weights, hasWeights, length, shifts, losses.AsSpan(row, rows));
                }

                AddShares(row, rows);
            }
        }

        /// <summary>The losses of some rows; from Σ w · (x − shift), where each class has a share of the targets.</summary>
        private void AddShares(int row, int rows)
        {
            ReadOnlySpan<int> labels = matrix.Targets.Labels.Values.Slice(row, rows);
            ReadOnlySpan<float> shifts = matrix.Shifts(row, rows);
            ReadOnlySpan<float> logarithms = matrix.Logarithms(row, rows);
            float classShare = matrix.Targets.ClassShare;
            for (int i = 0; i < labels.Length; i++)
            {
                // Choosing, not multiplying: what does not count must not turn an infinite logarithm into NaN.
                float loss = 0f;
                if (labels[i] >= 0)
                {
                    float labelShare = matrix.LabelShare(labels[i]);
                    if (labelShare != 0)
                    {
                        Scalar logit = matrix.X[((row + i) * matrix.Columns) + labels[i]];
                        loss = -labelShare * new NormalizedRow<Scalar>(shifts[i], logarithms[i]).LogProbability(logit).Value;
                    }

                    if (classShare != 0)
                    {
                        loss -= classShare * (losses[row + i] - (matrix.Targets.TotalWeight * logarithms[i]));
                    }
                }

                losses[row + i] = loss;
            }
        }
    }

    private readonly struct BackwardBody<TRow>(Targeted matrix, LossGradient gradient, float[] result) : ILoopBody
        where TRow : struct, IRowLanes
    {
        [SkipLocalsInit]
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            Span<float> room = stackalloc float[TRow.RoomLength];
            Span<float> weightRoom = stackalloc float[TRow.RoomLength];
            Span<float> numbers = stackalloc float[4 * TRow.RowsOfItem];
            Span<float> atLabels = stackalloc float[TRow.RowsOfItem];
            int columns = matrix.Columns;
            nuint length = TRow.Length<TLanes>(columns);
            int end = Math.Min(matrix.Rows, (item + 1) * TRow.RowsOfItem);
            for (int row = item * TRow.RowsOfItem, rows; row < end; row += rows)
            {
                rows = Math.Min(TRow.RowsAtOnce<TLanes>(), end - row);
                RowTargets targets = new(matrix.Shifts(row, rows), matrix.Logarithms(row, rows), numbers, rows);
                int counted = Read(row, targets);
                if (counted == 0)
                {
                    result.AsSpan(row * columns, rows * columns).Clear();
                    continue;
                }

                bool hasWeights = matrix.Weights is not null;
                ref float x = ref TRow.Read<TLanes>(matrix.X, row, rows, columns, room);
                Slopes<TLanes, TRow>(
                    ref x,
                    ref hasWeights ? ref TRow.ForColumns<TLanes>(matrix.Weights!, columns, weightRoom) : ref x,
                    hasWeights,
                    length,
                    matrix.Targets.ClassShare,
                    targets,
                    atLabels[..rows],
                    ref TRow.Target(result, row, columns, room));
                TRow.Write<TLanes>(room, result, row, rows, columns);
                WriteLabels(row, atLabels[..rows], counted);
            }
        }

        /// <summary>Reads what the slopes of some rows are computed from. Gives the rows that have a target: the bits of a number, the first row's lowest.</summary>
        private int Read(int row, in RowTargets rows)
        {
            int counted = 0;
            ReadOnlySpan<int> labels = matrix.Targets.Labels.Values.Slice(row, rows.Logits.Length);
            for (int i = 0; i < labels.Length; i++)
            {
                int label = labels[i];
                float labelShare = label < 0 ? 0f : matrix.LabelShare(label);
                if (label < 0 || (labelShare == 0f && matrix.Targets.ClassShare == 0f))
                {
                    (rows.Logits[i], rows.Targets[i], rows.Totals[i], rows.Gradients[i]) = (0f, 0f, 0f, 0f);
                    continue;
                }

                counted |= 1 << i;
                rows.Logits[i] = matrix.X[((row + i) * matrix.Columns) + label];
                rows.Targets[i] = labelShare + matrix.ClassShare(label);
                rows.Totals[i] = labelShare + (matrix.Targets.ClassShare * matrix.Targets.TotalWeight);
                rows.Gradients[i] = gradient.Numbers[(row + i) * gradient.Stride] / gradient.Divisor;
            }

            return counted;
        }

        /// <summary>Writes the slopes at the labels, and nothing for rows that are left out, whatever their logits.</summary>
        private void WriteLabels(int row, ReadOnlySpan<float> slopes, int counted)
        {
            for (int i = 0; i < slopes.Length; i++)
            {
                int start = (row + i) * matrix.Columns;
                if ((counted & (1 << i)) == 0)
                {
                    result.AsSpan(start, matrix.Columns).Clear();
                }
                else
                {
                    result[start + matrix.Targets.Labels[row + i]] = slopes[i];
                }
            }
        }
    }
}
