using Minigrad.Numerics;

namespace Minigrad.Backends.Cpu;

/// <summary>
/// Copies between strided layouts: transposes, slices, expansions, concatenations. Where numbers lie side by side along one dimension in the
/// source and along another in the target, small blocks are transposed in registers, so that all numbers of a line of the cache are used while it is
/// there.
/// </summary>
internal static class StridedCopyLoops
{
    /// <summary>How many lines a block has whose numbers are transposed: a line of the cache in the target.</summary>
    private const int BlockLines = 16;

    /// <summary>How many numbers of each.</summary>
    private const int BlockSteps = 16;

    /// <summary>Fewer numbers than this are copied one by one before a block is laid out.</summary>
    private const int FewestToTranspose = 64;

    /// <summary>Fewer numbers of a line than this are copied one by one: a call takes longer.</summary>
    private const int ShortLine = 8;

    /// <summary>About how many numbers one item of the loop copies: parts of a long line, or several short ones.</summary>
    private const int ItemLength = 4096;

    /// <summary>Copies a block of elements.</summary>
    public static void Copy(
        Workers workers, float[] x, StridedLayout source, float[] y, StridedLayout target, ReadOnlySpan<int> dimensions)
    {
        int length = 1;
        foreach (int dimension in dimensions)
        {
            length *= dimension;
        }

        if (length == 0)
        {
            return;
        }

        (int[] sizes, int[] from, int[] to) = Collapse(dimensions, source.Strides, target.Strides);
        int near = Array.IndexOf(to, 1);
        int across = Array.IndexOf(from, 1);
        bool isTransposed = near >= 0 && across >= 0 && from[near] > 1 && to[across] > 1 && length >= FewestToTranspose;
        if (isTransposed)
        {
            MoveLast(near, sizes, from, to);
            MoveLast(Array.IndexOf(from, 1), sizes, from, to); // It may have moved with the first.
        }

        (int lines, int steps) = (sizes[^2], sizes[^1]);
        int itemLines = isTransposed ? BlockLines : Math.Max(1, ItemLength / steps);
        int itemSteps = isTransposed ? ItemLength / BlockLines : ItemLength;
        Body body = new(x, source.Offset, from, y, target.Offset, to, sizes, isTransposed, itemLines, itemSteps);
        workers.For(
            length / lines / steps * Parts(lines, itemLines) * Parts(steps, itemSteps),
            Math.Min(lines, itemLines) * Math.Min(steps, itemSteps),
            body);
    }

    private static int Parts(int length, int partLength) => (length + partLength - 1) / partLength;

    /// <summary>Makes a dimension the last one.</summary>
    private static void MoveLast(int axis, params ReadOnlySpan<int[]> perDimension)
    {
        foreach (int[] values in perDimension)
        {
            int moved = values[axis];
            Array.Copy(values, axis + 1, values, axis, values.Length - axis - 1);
            values[^1] = moved;
        }
    }

    /// <summary>Where a row begins, of those that there are along the first dimensions.</summary>
    private static (int Source, int Target) Places(int row, ReadOnlySpan<int> sizes, int[] from, int[] to)
    {
        (int source, int target) = (0, 0);
        for (int axis = sizes.Length - 1; axis >= 0; axis--)
        {
            int index = row % sizes[axis];
            row /= sizes[axis];
            source += index * from[axis];
            target += index * to[axis];
        }

        return (source, target);
    }

    /// <summary>Joins dimensions that lie one inside the other in both layouts, and drops those of length 1. Two are left at least.</summary>
    private static (int[] Sizes, int[] From, int[] To) Collapse(ReadOnlySpan<int> dimensions, int[] from, int[] to)
    {
        List<int> sizes = [1];
        List<int> fromStrides = [0];
        List<int> toStrides = [0];
        for (int axis = 0; axis < dimensions.Length; axis++)
        {
            int size = dimensions[axis];
            bool nested = fromStrides[^1] == from[axis] * size && toStrides[^1] == to[axis] * size;
            if (sizes[^1] == 1 || nested)
            {
                sizes[^1] *= size;
                fromStrides[^1] = from[axis];
                toStrides[^1] = to[axis];
            }
            else if (size != 1)
            {
                sizes.Add(size);
                fromStrides.Add(from[axis]);
                toStrides.Add(to[axis]);
            }
        }

        if (sizes.Count == 1)
        {
            sizes.Insert(0, 1);
            fromStrides.Insert(0, 0);
            toStrides.Insert(0, 0);
        }

        return (sizes.ToArray(), fromStrides.ToArray(), toStrides.ToArray());
    }

    /// <summary>
    /// Some lines, or parts of them: the last dimension runs along the lines, the last but one counts them. Transposed, they become columns.
    /// </summary>
    private readonly struct Body(
        float[] x, int xOffset, int[] from, float[] y, int yOffset, int[] to, int[] sizes, bool isTransposed, int itemLines, int itemSteps) : ILoopBody
    {
        public void Run<TLanes>(int item)
            where TLanes : struct, ILanes<TLanes>
        {
            (int block, int part) = Math.DivRem(item, Parts(sizes[^1], itemSteps));
            (int row, block) = Math.DivRem(block, Parts(sizes[^2], itemLines));
            int line = block * itemLines;
            int step = part * itemSteps;
            (int source, int target) = Places(row, sizes.AsSpan(..^2), from, to);
            source += xOffset + (line * from[^2]) + (step * from[^1]);
            target += yOffset + (line * to[^2]) + (step * to[^1]);
            int lines = Math.Min(itemLines, sizes[^2] - line);
            int steps = Math.Min(itemSteps, sizes[^1] - step);
            if (isTransposed)
            {
                Transpose(source, target, lines, steps);
            }
            else
            {
                CopyLines(source, target, lines, steps);
            }
        }

        private void Transpose(int source, int target, int lines, int steps)
        {
            for (int step = 0; step < steps; step += BlockSteps)
            {
                int count = Math.Min(BlockSteps, steps - step);
                OperandPacking.Transpose(x.AsSpan(source + step), from[^2], lines, count, y.AsSpan(target + (step * to[^1])), to[^1]);
            }
        }

        private void CopyLines(int source, int target, int lines, int steps)
        {
            (int step, int stride) = (from[^1], to[^1]);
            for (int line = 0; line < lines; line++, source += from[^2], target += to[^2])
            {
                if (stride != 1 || step is not (0 or 1) || steps < ShortLine)
                {
                    for (int i = 0; i < steps; i++)
                    {
                        y[target + (i * stride)] = x[source + (i * step)];
                    }
                }
                else if (step == 1)
                {
                    x.AsSpan(source, steps).CopyTo(y.AsSpan(target, steps));
                }
                else
                {
                    y.AsSpan(target, steps).Fill(x[source]);
                }
            }
        }
    }
}
